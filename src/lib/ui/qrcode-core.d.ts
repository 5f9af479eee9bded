/** The encoder of `qrcode` alone; its main module also loads the renderers, which costs 20 ms of a command. */
declare module 'qrcode/lib/core/qrcode.js' {
  export { create } from 'qrcode';
}
