/**
 * Failures as AWS answers them.
 */

/** An answer that refuses a call. `code` is the name that the vendor's clients see. */
export class AwsError extends Error {
  readonly code: string
  readonly status: number

  constructor(code: string, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** What most services answer to input that they do not take. */
export const invalid = (message: string): AwsError => new AwsError("ValidationError", message)
