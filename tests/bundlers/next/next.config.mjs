const { OUT: distDir, ROOT: root } = process.env;

export default { output: 'export', distDir, outputFileTracingRoot: root, turbopack: { root } };
