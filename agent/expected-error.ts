/** An error whose message tells a person all there is to know; a stack would only frighten. */
export class ExpectedError extends Error {
  override readonly name: string = "ExpectedError";
}
