import { ProofkeyError } from '../error.js';
import { kept, login, send, server, tokens, wait } from '../values.js';


export class Client {
    free() {
        const ptr = this.ptr;
        this.ptr = 0;
        wasm.k(ptr, 0);
    }
    accept(pending, redirect) {
        const ret = wasm.o(this.ptr, ...passStringToWasm0(pending), ...passStringToWasm0(redirect));
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return Flow.__wrap(ret[0]);
    }
    authorize(scope, extra, random) {
        const ret = wasm.p(this.ptr, ...passStringToWasm0(scope), ...passStringToWasm0(extra), ...passArray8ToWasm0(random));
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return takeFromExternrefTable0(ret[0]);
    }
    matches(pending, redirect) {
        const ret = wasm.q(this.ptr, ...passStringToWasm0(pending), ...passStringToWasm0(redirect));
        return ret !== 0;
    }
    constructor(settings) {
        const ret = wasm.r(...passStringToWasm0(settings));
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        this.ptr = ret[0];
    }
    refresh(refresh_token) {
        const ret = wasm.s(this.ptr, ...passStringToWasm0(refresh_token));
        return Flow.__wrap(ret);
    }
    revoke(token, is_refresh) {
        const ret = wasm.t(this.ptr, ...passStringToWasm0(token), is_refresh);
        return Flow.__wrap(ret);
    }
}

export class Flow {
    static __wrap(ptr) {
        const obj = Object.create(Flow.prototype);
        obj.ptr = ptr;
        return obj;
    }
    free() {
        const ptr = this.ptr;
        this.ptr = 0;
        wasm.l(ptr, 0);
    }
    static discovery(issuer) {
        const ret = wasm.u(...passStringToWasm0(issuer));
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return Flow.__wrap(ret[0]);
    }
    hear(response, now) {
        const ret = wasm.v(this.ptr, response.ptr, now);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return ret[0] !== 0;
    }
    over() {
        const ret = wasm.w(this.ptr);
        return ret;
    }
    read(response) {
        const ret = wasm.x(this.ptr, response.ptr);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return takeFromExternrefTable0(ret[0]);
    }
    step(now) {
        const ret = wasm.y(this.ptr, now);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return takeFromExternrefTable0(ret[0]);
    }
    unanswered(is_closed, now) {
        const ret = wasm.z(this.ptr, is_closed, now);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return ret[0] !== 0;
    }
}

export class HttpResponse {
    free() {
        const ptr = this.ptr;
        this.ptr = 0;
        wasm.m(ptr, 0);
    }
    constructor(status, headers, body, is_cut) {
        const ret = wasm.A(status, ...passStringToWasm0(headers), ...passArray8ToWasm0(body), is_cut);
        this.ptr = ret;
    }
}

export class Pass {
    free() {
        const ptr = this.ptr;
        this.ptr = 0;
        wasm.n(ptr, 0);
    }
    constructor(row, is_refused, deadline, wall, uptime) {
        const ret = wasm.C(...passArrayF64ToWasm0(row), is_refused, deadline, wall, uptime);
        this.ptr = ret;
    }
    step(event, row, wall, uptime) {
        const ret = wasm.D(this.ptr, event, ...passArrayF64ToWasm0(row), wall, uptime);
        return ret;
    }
}

export function isReady(row, quiet, wall, uptime) {
    const ret = wasm.B(...passArrayF64ToWasm0(row), quiet, wall, uptime);
    return ret !== 0;
}

export function wantsRefresh(status, www_authenticate) {
    const ret = wasm.E(status, ...isLikeNone(www_authenticate) ? [0, 0] : passStringToWasm0(www_authenticate));
    return ret !== 0;
}
function __wbg_get_imports() {
    const import0 = {
        a(arg0, arg1) {
            throw new Error(getStringFromWasm0(arg0, arg1));
        },
        g(arg0, arg1, arg2, arg3, arg4) {
            const ret = kept(optional(arg0, arg1), arg2 >>> 0, arg3, arg4);
            return ret;
        },
        f(arg0, arg1, arg2, arg3) {
            const ret = login(getStringFromWasm0(arg0, arg1), getStringFromWasm0(arg2, arg3));
            return ret;
        },
        i(arg0, arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8) {
            const ret = new ProofkeyError(getStringFromWasm0(arg0, arg1), getStringFromWasm0(arg2, arg3), getStringFromWasm0(arg4, arg5), arg6 === Number.MAX_SAFE_INTEGER ? undefined : arg6, optional(arg7, arg8));
            return ret;
        },
        e(arg0, arg1, arg2, arg3, arg4, arg5, arg6, arg7) {
            const ret = send(getStringFromWasm0(arg0, arg1), getStringFromWasm0(arg2, arg3), getStringFromWasm0(arg4, arg5), optional(arg6, arg7));
            return ret;
        },
        d(arg0, arg1) {
            const ret = server(getStringFromWasm0(arg0, arg1));
            return ret;
        },
        c(arg0, arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8) {
            const ret = tokens(getStringFromWasm0(arg0, arg1), optional(arg2, arg3), arg4 === Number.MAX_SAFE_INTEGER ? undefined : arg4, optional(arg5, arg6), optional(arg7, arg8));
            return ret;
        },
        b(arg0) {
            const ret = wait(arg0 >>> 0);
            return ret;
        },
        h() {
            const table = wasm.F;
            table.set(0, undefined);
            table.set(1024, undefined);
        },
    };
    return {
        "a": import0,
    };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
let wasm;

async function load(source) {
    source = await ask(source ?? new URL('proofkey_browser_bg.wasm', import.meta.url));
    const imports = __wbg_get_imports();
    if (source instanceof Response) {
        if (!source.ok) throw new Error(`${source.url} answered ${source.status}`);
        if (source.headers.get('Content-Type') === 'application/wasm') {
            return start(await WebAssembly.instantiateStreaming(source, imports));
        }
        console.warn('serve .wasm as application/wasm: it loads sooner');
        source = await source.arrayBuffer();
    }
    start(await WebAssembly.instantiate(source, imports));
}

function initSync({ module }) {
    start(new WebAssembly.Instance(new WebAssembly.Module(module), __wbg_get_imports()));
}

function ask(source) {
    return typeof source === 'string' || source instanceof Request || source instanceof URL ? fetch(source) : source;
}

function start(made) {
    // A compiled module gives the instance alone.
    wasm = (made.instance ?? made).exports;
    wasm.I();
}

function getStringFromWasm0(ptr, len) {
    return decoder.decode(new Uint8Array(wasm.j.buffer, ptr >>> 0, len));
}

function optional(ptr, len) {
    return ptr === 0 ? undefined : getStringFromWasm0(ptr, len);
}

function passStringToWasm0(text) {
    return passArray8ToWasm0(encoder.encode(text));
}

function passArray8ToWasm0(bytes) {
    const ptr = wasm.G(bytes.length, 1) >>> 0;
    new Uint8Array(wasm.j.buffer, ptr).set(bytes);
    return [ptr, bytes.length];
}

function passArrayF64ToWasm0(numbers) {
    const ptr = wasm.G(8 * numbers.length, 8) >>> 0;
    new Float64Array(wasm.j.buffer, ptr).set(numbers);
    return [ptr, numbers.length];
}

function isLikeNone(value) {
    return value === undefined || value === null;
}

function takeFromExternrefTable0(index) {
    const value = wasm.F.get(index);
    wasm.H(index);
    return value;
}

export { initSync, load as default };
