declare module "virtual:vrl-module" {
  /** Where the VRL compiler is, compressed with gzip. */
  const url: string;
  export default url;
}
