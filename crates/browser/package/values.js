// What the WebAssembly module returns.
export const kept = (refreshToken, event, tokens, error) => ({ refreshToken, event, tokens, error });

export const login = (url, pending) => ({ url, pending });

export const send = (method, url, headers, body) => ({ request: {
  method, url, headers: Object.fromEntries(headers.trim().split('\n').map((line) => line.split(':'))), body,
} });

export const server = (settings) => settings;

export const tokens = (accessToken, refreshToken, expiresIn, scope, idToken) => ({ accessToken, refreshToken, expiresIn, scope, idToken });

export const wait = (seconds) => ({ wait: seconds });
