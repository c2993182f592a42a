import init, { start } from '/pkg/proofkey_web_sys.js';

// Before anything else, and long before the module has loaded: nobody else is to see the code.
const address = location.href;
history.replaceState(null, '', '/');
await init();
await start(address);
