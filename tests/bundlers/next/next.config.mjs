const { ROOT: root } = process.env;

export default { output: 'export', outputFileTracingRoot: root, turbopack: { root } };
