import { type ErrorCode, type ErrorInfo, errorInfo, type Remedy } from "../domain/errors/index.ts"
import * as Schema from "effect/Schema"

const codes = {
  Unavailable: "store_unavailable",
  Full: "store_full",
  ReadOnly: "store_readonly",
  Corrupt: "store_corrupt",
  NewerWriter: "newer_writer",
  Misconfigured: "store_misconfigured",
  Unexpected: "store_unexpected"
} as const satisfies Record<string, ErrorCode>

const remedies: Readonly<Record<string, ReadonlyArray<Remedy>>> = {
  Unavailable: [{ _tag: "ask_providers" }],
  Corrupt: [{ _tag: "orphans" }]
}

/**
 * The one error of the stores.
 *
 * *Details*: `Unavailable` cannot be reached or is locked for too long · `Full` no room left · `ReadOnly` not writable ·
 * `Corrupt` cannot be read · `NewerWriter` a newer version of Signalbox wrote it, and this one only reads it ·
 * `Misconfigured` its address, user or password is wrong · `Unexpected` anything else.
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

  get info(): ErrorInfo {
    return errorInfo(
      codes[this.reason],
      { operation: this.operation },
      { detail: this.detail, remedies: remedies[this.reason] ?? [] }
    )
  }

  get isRetryable(): boolean {
    return this.reason === "Unavailable"
  }
}
