import init from '/pkg/proofkey_web_sys.js';

await init();
