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
    wasm.__wbindgen_start();
}

function getStringFromWasm0(ptr, len) {
    return decoder.decode(new Uint8Array(wasm.memory.buffer, ptr >>> 0, len));
}

function optional(ptr, len) {
    return ptr === 0 ? undefined : getStringFromWasm0(ptr, len);
}

function passStringToWasm0(text) {
    return passArray8ToWasm0(encoder.encode(text));
}

function passArray8ToWasm0(bytes) {
    const ptr = wasm.__wbindgen_malloc(bytes.length, 1) >>> 0;
    new Uint8Array(wasm.memory.buffer, ptr).set(bytes);
    return [ptr, bytes.length];
}

function passArrayF64ToWasm0(numbers) {
    const ptr = wasm.__wbindgen_malloc(8 * numbers.length, 8) >>> 0;
    new Float64Array(wasm.memory.buffer, ptr).set(numbers);
    return [ptr, numbers.length];
}

function isLikeNone(value) {
    return value === undefined || value === null;
}

function takeFromExternrefTable0(index) {
    const value = wasm.__wbindgen_externrefs.get(index);
    wasm.__externref_table_dealloc(index);
    return value;
}

export { initSync, load as default };
