// What is downloaded, pinned by hash: the same bytes on every machine, or none.

/** The wheel that carries TensorFlow's C library. pip picks it by these tags, whatever Python runs pip. */
export const WHEEL = {
  requirement: 'tensorflow-cpu==2.15.1',
  tags: [
    '--python-version',
    '3.11',
    '--implementation',
    'cp',
    '--abi',
    'cp311',
    '--platform',
    'manylinux2014_x86_64',
  ],
  sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
  megabytes: 207,
}

/** The libraries inside it, which the addon finds beside itself. */
export const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']

/** The headers inside it that the addon includes. */
export const HEADER_FOLDERS = [
  'tensorflow/c/',
  'tensorflow/core/platform/',
  'tsl/c/',
  'tsl/platform/',
]

/** Source of the addon. */
export const ADDON_PACKAGE = {
  name: '@tensorflow/tfjs-node@4.22.0',
  integrity:
    'sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==',
}

/** Version of Node-API that the addon asks for: Node 20 has 9. */
export const NODE_API_VERSION = 8

/** What an installation made from these pins says of itself. */
export const INSTALLATION = {
  tensorflow: WHEEL.requirement,
  wheel: WHEEL.sha256,
  addon: ADDON_PACKAGE.integrity,
  guard: 'signals are blocked inside operations',
  platform: 'linux-x64',
}
