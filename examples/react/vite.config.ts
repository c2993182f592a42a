import react from '@vitejs/plugin-react';
import { defineConfig, loadEnv } from 'vite';
import { headers } from './headers.ts';

export default defineConfig(({ command, mode, isPreview }) => {
  const { VITE_ISSUER = '', VITE_API = '' } = loadEnv(mode, '.');
  // The redirect URI names this address: `localhost` would be another origin.
  const listen = { host: '127.0.0.1', port: 5173, strictPort: true };
  const nonce = command === 'serve' && !isPreview ? crypto.randomUUID() : undefined;
  return {
    plugins: [react()],
    build: { modulePreload: { polyfill: false } },
    html: nonce ? { cspNonce: nonce } : {},
    optimizeDeps: { exclude: ['proofkey-browser'] },
    // Without this line if the package comes from npm.
    resolve: { preserveSymlinks: true },
    server: { ...listen, headers: headers(VITE_ISSUER, VITE_API, nonce) },
    preview: { ...listen, headers: headers(VITE_ISSUER, VITE_API) },
  };
});
