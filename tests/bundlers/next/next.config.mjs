const { OUTPUT: output, ROOT: root } = process.env;

export default { output, outputFileTracingRoot: root, turbopack: { root } };
