// The light build has the same face as the whole one and brings no types.
declare module 'hls.js/light' {
  export { default } from 'hls.js';
}
