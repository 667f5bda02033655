import { hasProperty } from "effect/Predicate"
import type { SqlError } from "effect/sql/SqlError"
import { StoreError } from "../../spi/StoreError.ts"

type Reason = StoreError["reason"]

/** By the primary result code of SQLite. */
const bySqliteCode: { readonly [code: number]: Reason } = {
  3: "ReadOnly",
  5: "Unavailable",
  6: "Unavailable",
  8: "ReadOnly",
  10: "Unavailable",
  11: "Corrupt",
  13: "Full",
  14: "Unavailable",
  26: "Corrupt"
}

/** Extended codes of SQLITE_IOERR that a full disk gives: write, and growth of the shared memory file. */
const fullDisk: ReadonlySet<number> = new Set([778, 4874])

/** By errno, SQLSTATE, or the class of the SQLSTATE. */
const byText: { readonly [code: string]: Reason } = {
  EACCES: "ReadOnly",
  EPERM: "ReadOnly",
  EROFS: "ReadOnly",
  ENOSPC: "Full",
  EDQUOT: "Full",
  ENOENT: "Unavailable",
  ECONNREFUSED: "Unavailable",
  "53100": "Full",
  "25006": "ReadOnly",
  "42501": "ReadOnly",
  XX001: "Corrupt",
  XX002: "Corrupt",
  "08": "Unavailable",
  "53": "Unavailable",
  "57": "Unavailable",
  "40": "Unavailable",
  "28": "Misconfigured",
  "3D": "Misconfigured"
}

const byTag: { readonly [tag in SqlError["reason"]["_tag"]]?: Reason } = {
  AuthenticationError: "Misconfigured",
  ConnectionError: "Unavailable",
  LockTimeoutError: "Unavailable",
  DeadlockError: "Unavailable",
  SerializationError: "Unavailable",
  StatementTimeoutError: "Unavailable"
}

const byCause = (cause: unknown): Reason | undefined => {
  if (hasProperty(cause, "errcode") && typeof cause.errcode === "number") {
    return fullDisk.has(cause.errcode) ? "Full" : bySqliteCode[cause.errcode & 0xff]
  }
  if (hasProperty(cause, "code") && typeof cause.code === "string") {
    return byText[cause.code] ?? (/^[0-9A-Z]{5}$/.test(cause.code) ? byText[cause.code.slice(0, 2)] : undefined)
  }
  return undefined
}

const detailOf = (cause: unknown, otherwise: string): string =>
  hasProperty(cause, "message") && typeof cause.message === "string" ? cause.message : otherwise

/** Classifies the error of a SQL client. */
export const storeError =
  (operation: string) =>
  (error: SqlError): StoreError => {
    const { reason } = error
    return new StoreError({
      operation,
      reason: byCause(reason.cause) ?? byTag[reason._tag] ?? "Unexpected",
      detail: detailOf(reason.cause, error.message),
      cause: error
    })
  }
