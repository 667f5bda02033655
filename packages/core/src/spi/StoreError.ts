import * as Schema from "effect/Schema"

/**
 * The one error of the stores.
 *
 * *Details*: `Unavailable` cannot be reached or is locked for too long · `Full` no room left · `ReadOnly` not writable ·
 * `Corrupt` cannot be read · `NewerWriter` a newer version of Signalbox wrote it, which this one only reads · `Misconfigured` its address, user or password is wrong · `Unexpected`
 * anything else.
 *
 * *Errors*: only `Unavailable` is retryable.
 */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  operation: Schema.String,
  reason: Schema.Literals(["Unavailable", "Full", "ReadOnly", "Corrupt", "NewerWriter", "Misconfigured", "Unexpected"]),
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    return `${this.operation}: ${this.detail}`
  }

  get isRetryable(): boolean {
    return this.reason === "Unavailable"
  }
}
