import { ProofkeyError } from '../error.js';
import { kept, login, send, server, tokens, wait } from '../values.js';


export class Client {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.k(ptr, 0);
    }
    accept(pending, redirect) {
        let ptr0, len0, ptr1, len1;
            ptr0 = passStringToWasm0(pending, wasm.G, wasm.H);
            len0 = WASM_VECTOR_LEN;
            ptr1 = passStringToWasm0(redirect, wasm.G, wasm.H);
            len1 = WASM_VECTOR_LEN;
        const ret = wasm.o(this.__wbg_ptr, ptr0, len0, ptr1, len1);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return Flow.__wrap(ret[0]);
    }
    authorize(scope, extra, random) {
        let ptr0, len0, ptr1, len1, ptr2, len2;
            ptr0 = passStringToWasm0(scope, wasm.G, wasm.H);
            len0 = WASM_VECTOR_LEN;
            ptr1 = passStringToWasm0(extra, wasm.G, wasm.H);
            len1 = WASM_VECTOR_LEN;
            ptr2 = passArray8ToWasm0(random, wasm.G);
            len2 = WASM_VECTOR_LEN;
        const ret = wasm.p(this.__wbg_ptr, ptr0, len0, ptr1, len1, ptr2, len2);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return takeFromExternrefTable0(ret[0]);
    }
    matches(pending, redirect) {
        let ptr0, len0, ptr1, len1;
            ptr0 = passStringToWasm0(pending, wasm.G, wasm.H);
            len0 = WASM_VECTOR_LEN;
            ptr1 = passStringToWasm0(redirect, wasm.G, wasm.H);
            len1 = WASM_VECTOR_LEN;
        const ret = wasm.q(this.__wbg_ptr, ptr0, len0, ptr1, len1);
        return ret !== 0;
    }
    constructor(settings) {
        const ptr0 = passStringToWasm0(settings, wasm.G, wasm.H);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.r(ptr0, len0);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        this.__wbg_ptr = ret[0];
        return this;
    }
    refresh(refresh_token) {
        const ptr0 = passStringToWasm0(refresh_token, wasm.G, wasm.H);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.s(this.__wbg_ptr, ptr0, len0);
        return Flow.__wrap(ret);
    }
    revoke(token, is_refresh) {
        const val2 = +is_refresh;
        const ptr0 = passStringToWasm0(token, wasm.G, wasm.H);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.t(this.__wbg_ptr, ptr0, len0, val2);
        return Flow.__wrap(ret);
    }
}

export class Flow {
    static __wrap(ptr) {
        const obj = Object.create(Flow.prototype);
        obj.__wbg_ptr = ptr;
        return obj;
    }
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.l(ptr, 0);
    }
    static discovery(issuer) {
        const ptr0 = passStringToWasm0(issuer, wasm.G, wasm.H);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.u(ptr0, len0);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return Flow.__wrap(ret[0]);
    }
    hear(response, now) {
        const ret = wasm.v(this.__wbg_ptr, response.__wbg_ptr, now);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return ret[0] !== 0;
    }
    over() {
        const ret = wasm.w(this.__wbg_ptr);
        return ret;
    }
    read(response) {
        const ret = wasm.x(this.__wbg_ptr, response.__wbg_ptr);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return takeFromExternrefTable0(ret[0]);
    }
    step(now) {
        const ret = wasm.y(this.__wbg_ptr, now);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return takeFromExternrefTable0(ret[0]);
    }
    unanswered(is_closed, now) {
        const ret = wasm.z(this.__wbg_ptr, is_closed, now);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return ret[0] !== 0;
    }
}

export class HttpResponse {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.m(ptr, 0);
    }
    constructor(status, headers, body, is_cut) {
        const val3 = +status;
        const val4 = +is_cut;
        let ptr0, len0, ptr1, len1;
            ptr0 = passStringToWasm0(headers, wasm.G, wasm.H);
            len0 = WASM_VECTOR_LEN;
            ptr1 = passArray8ToWasm0(body, wasm.G);
            len1 = WASM_VECTOR_LEN;
        const ret = wasm.A(val3, ptr0, len0, ptr1, len1, val4);
        this.__wbg_ptr = ret;
        return this;
    }
}

export class Pass {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.n(ptr, 0);
    }
    constructor(row, is_refused, deadline, wall, uptime) {
        const val2 = +is_refused;
        const val3 = +deadline;
        const val4 = +wall;
        const val5 = +uptime;
        const ptr0 = passArrayF64ToWasm0(row, wasm.G);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.C(ptr0, len0, val2, val3, val4, val5);
        this.__wbg_ptr = ret;
        return this;
    }
    step(event, row, wall, uptime) {
        const val2 = +event;
        const val3 = +wall;
        const val4 = +uptime;
        const ptr0 = passArrayF64ToWasm0(row, wasm.G);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.D(this.__wbg_ptr, val2, ptr0, len0, val3, val4);
        return ret;
    }
}

export function isReady(row, quiet, wall, uptime) {
    const val2 = +quiet;
    const val3 = +wall;
    const val4 = +uptime;
    const ptr0 = passArrayF64ToWasm0(row, wasm.G);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.B(ptr0, len0, val2, val3, val4);
    return ret !== 0;
}

export function wantsRefresh(status, www_authenticate) {
    const val2 = +status;
    var ptr0 = isLikeNone(www_authenticate) ? 0 : passStringToWasm0(www_authenticate, wasm.G, wasm.H);
    var len0 = WASM_VECTOR_LEN;
    const ret = wasm.E(val2, ptr0, len0);
    return ret !== 0;
}
function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        i: function(arg0, arg1) {
            throw new Error(getStringFromWasm0(arg0, arg1));
        },
        c: function(arg0, arg1, arg2, arg3, arg4) {
            const ret = kept(arg0 === 0 ? undefined : getStringFromWasm0(arg0, arg1), arg2 >>> 0, arg3, arg4);
            return ret;
        },
        d: function(arg0, arg1, arg2, arg3) {
            const ret = login(getStringFromWasm0(arg0, arg1), getStringFromWasm0(arg2, arg3));
            return ret;
        },
        a: function(arg0, arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8) {
            const ret = new ProofkeyError(getStringFromWasm0(arg0, arg1), getStringFromWasm0(arg2, arg3), getStringFromWasm0(arg4, arg5), arg6 === Number.MAX_SAFE_INTEGER ? undefined : arg6, arg7 === 0 ? undefined : getStringFromWasm0(arg7, arg8));
            return ret;
        },
        e: function(arg0, arg1, arg2, arg3, arg4, arg5, arg6, arg7) {
            const ret = send(getStringFromWasm0(arg0, arg1), getStringFromWasm0(arg2, arg3), getStringFromWasm0(arg4, arg5), arg6 === 0 ? undefined : getStringFromWasm0(arg6, arg7));
            return ret;
        },
        f: function(arg0, arg1) {
            const ret = server(getStringFromWasm0(arg0, arg1));
            return ret;
        },
        g: function(arg0, arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8) {
            const ret = tokens(getStringFromWasm0(arg0, arg1), arg2 === 0 ? undefined : getStringFromWasm0(arg2, arg3), arg4 === Number.MAX_SAFE_INTEGER ? undefined : arg4, arg5 === 0 ? undefined : getStringFromWasm0(arg5, arg6), arg7 === 0 ? undefined : getStringFromWasm0(arg7, arg8));
            return ret;
        },
        h: function(arg0) {
            const ret = wait(arg0 >>> 0);
            return ret;
        },
        b: function() {
            const table = wasm.F;
            table.set(0, undefined);
            table.set(1024, undefined);
            table.set(1025, null);
            table.set(1026, true);
            table.set(1027, false);
        },
    };
    return {
        __proto__: null,
        "a": import0,
    };
}



let cachedFloat64ArrayMemory0 = null;
function getFloat64ArrayMemory0() {
    if (cachedFloat64ArrayMemory0 === null || cachedFloat64ArrayMemory0.byteLength === 0) {
        cachedFloat64ArrayMemory0 = new Float64Array(wasm.j.buffer);
    }
    return cachedFloat64ArrayMemory0;
}

function getStringFromWasm0(ptr, len) {
    ptr = ptr >>> 0;
    return decodeText(getUint8ArrayMemory0().subarray(ptr, ptr + len));
}

let cachedUint8ArrayMemory0 = null;
function getUint8ArrayMemory0() {
    if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0) {
        cachedUint8ArrayMemory0 = new Uint8Array(wasm.j.buffer);
    }
    return cachedUint8ArrayMemory0;
}

function isLikeNone(x) {
    return x === undefined || x === null;
}

function passArray8ToWasm0(arg, malloc) {
    const ptr = malloc(arg.length * 1, 1) >>> 0;
    getUint8ArrayMemory0().set(arg, ptr / 1);
    WASM_VECTOR_LEN = arg.length;
    return ptr;
}

function passArrayF64ToWasm0(arg, malloc) {
    const ptr = malloc(arg.length * 8, 8) >>> 0;
    getFloat64ArrayMemory0().set(arg, ptr / 8);
    WASM_VECTOR_LEN = arg.length;
    return ptr;
}

function passStringToWasm0(arg, malloc, realloc) {

    let len = arg.length;
    let ptr = malloc(len, 1) >>> 0;

    const mem = getUint8ArrayMemory0();

    let offset = 0;

    for (; offset < len; offset++) {
        const code = arg.charCodeAt(offset);
        if (code > 0x7F) break;
        mem[ptr + offset] = code;
    }
    if (offset !== len) {
        if (offset !== 0) {
            arg = arg.slice(offset);
        }
        ptr = realloc(ptr, len, len = offset + arg.length * 3, 1) >>> 0;
        const view = getUint8ArrayMemory0().subarray(ptr + offset, ptr + len);
        const ret = cachedTextEncoder.encodeInto(arg, view);

        offset += ret.written;
        ptr = realloc(ptr, len, offset, 1) >>> 0;
    }

    WASM_VECTOR_LEN = offset;
    return ptr;
}

function takeFromExternrefTable0(idx) {
    const value = wasm.F.get(idx);
    wasm.I(idx);
    return value;
}

let cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
cachedTextDecoder.decode();
function decodeText(bytes) {
    return cachedTextDecoder.decode(bytes);
}

const cachedTextEncoder = new TextEncoder();


let WASM_VECTOR_LEN = 0;

let wasmModule, wasmInstance, wasm;
function __wbg_finalize_init(instance, module) {
    wasmInstance = instance;
    wasm = instance.exports;
    wasmModule = module;
    cachedFloat64ArrayMemory0 = null;
    cachedUint8ArrayMemory0 = null;
    wasm.J();
    return wasm;
}

async function __wbg_load(module, imports) {
    if (module instanceof Response) {
        if (!module.ok) {
            throw new Error(`failed to fetch Wasm: ${module.status} ${module.statusText} fetching '${module.url}'`);
        }

        if (typeof WebAssembly.instantiateStreaming === 'function') {
            try {
                return await WebAssembly.instantiateStreaming(module, imports);
            } catch (e) {
                if (module.headers.get('Content-Type') !== 'application/wasm') {
                    console.warn("serve .wasm as application/wasm: it loads sooner", e);

                } else { throw e; }
            }
        }

        const bytes = await module.arrayBuffer();
        return await WebAssembly.instantiate(bytes, imports);
    } else {
        const instance = await WebAssembly.instantiate(module, imports);

        if (instance instanceof WebAssembly.Instance) {
            return { instance, module };
        } else {
            return instance;
        }
    }
}

function initSync(module) {
    if (wasm !== undefined) return wasm;


    if (module !== undefined) {
        if (Object.getPrototypeOf(module) === Object.prototype) {
            ({module} = module)
        } else {
        }
    }

    const imports = __wbg_get_imports();
    if (!(module instanceof WebAssembly.Module)) {
        module = new WebAssembly.Module(module);
    }
    const instance = new WebAssembly.Instance(module, imports);
    return __wbg_finalize_init(instance, module);
}

let __wbg_init_promise;
async function __wbg_init(module_or_path) {
    if (wasm !== undefined) return wasm;
    if (__wbg_init_promise === undefined) {
        __wbg_init_promise = __wbg_init_once(module_or_path);
        __wbg_init_promise.catch(() => { __wbg_init_promise = undefined; });
    }
    return __wbg_init_promise;
}

async function __wbg_init_once(module_or_path) {

    if (module_or_path !== undefined) {
        if (Object.getPrototypeOf(module_or_path) === Object.prototype) {
            ({module_or_path} = module_or_path)
        } else {
        }
    }

    if (module_or_path === undefined) {
        module_or_path = new URL('proofkey_browser_bg.wasm', import.meta.url);
    }
    const imports = __wbg_get_imports();

    if (typeof module_or_path === 'string' || (module_or_path instanceof Request) || (module_or_path instanceof URL)) {
        module_or_path = fetch(module_or_path);
    }

    const { instance, module } = await __wbg_load(await module_or_path, imports);

    return __wbg_finalize_init(instance, module);
}

export { initSync, __wbg_init as default };
