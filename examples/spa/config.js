// The defaults of the development server: `cargo run -p proofkey-devserver`.
export const issuer = 'http://127.0.0.1:9400';
export const clientId = 'demo-native';
export const redirectUri = 'http://127.0.0.1:5173/callback';
export const api = 'http://127.0.0.1:9400';
