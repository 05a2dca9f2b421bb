/** As much of it as the bench uses; it has no types of its own. */
declare module 'stomp-broker-js' {
  export default class {
    constructor(options: object);
  }
}
