/**
 * The errors of the Promise facade: real `Error`s, told apart by `_tag`, without types of Effect.
 */
import type { BlockerView } from "@signalbox/core/api"
import type { ConfigurationIssue } from "@signalbox/core/config"
import type { DescribedError } from "@signalbox/core/text"
import type { Lease } from "@signalbox/core/spi"

interface Options extends DescribedError {
  readonly cause?: unknown
}

/**
 * What all of them have. `code` is stable and for programs, `params` its parameters and `remedies` what to do about it, as data;
 * `message` and `hint` say both in words. `path` points into the input.
 */
abstract class Base<Tag extends string> extends Error {
  abstract readonly _tag: Tag
  readonly code: DescribedError["code"]
  readonly hint: string | undefined
  readonly path: string | undefined
  readonly params: NonNullable<DescribedError["params"]>
  readonly detail: string | undefined
  readonly remedies: NonNullable<DescribedError["remedies"]>
  /** Whether the same call may succeed later. */
  readonly isRetryable: boolean = false

  constructor({ cause, code, detail, hint, message, params = {}, path, remedies = [] }: Options) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.hint = hint
    this.path = path
    this.params = params
    this.detail = detail
    this.remedies = remedies
  }

  /** What a server may answer with. */
  toJSON(): { readonly error: DescribedError } {
    return {
      error: {
        code: this.code,
        message: this.message,
        ...(this.hint === undefined ? {} : { hint: this.hint }),
        ...(this.path === undefined ? {} : { path: this.path }),
        params: this.params,
        ...(this.detail === undefined ? {} : { detail: this.detail }),
        ...(this.remedies.length === 0 ? {} : { remedies: this.remedies })
      }
    }
  }
}

/** The configuration is wrong; `issues` holds everything that is. Nothing was done. */
export class ConfigurationError extends Base<"ConfigurationError"> {
  readonly _tag = "ConfigurationError"
  override readonly name = "ConfigurationError"
  readonly issues: ReadonlyArray<ConfigurationIssue>
  constructor(options: Options & { readonly issues: ReadonlyArray<ConfigurationIssue> }) {
    super(options)
    this.issues = options.issues
  }
}

/** Some other input is wrong: an id, a name, an option. Nothing was done. */
export class InvalidInputError extends Base<"InvalidInputError"> {
  readonly _tag = "InvalidInputError"
  override readonly name = "InvalidInputError"
}

/** What was named is not there. */
export class NotFoundError extends Base<"NotFoundError"> {
  readonly _tag = "NotFoundError"
  override readonly name = "NotFoundError"
}

/**
 * Something else is in the way: another execution, whose `lease` it is where there is one, a freeze, a veto … `blockers` is
 * everything that was in the way right after; empty where nothing was any more. Worth repeating later.
 */
export class BlockedError extends Base<"BlockedError"> {
  readonly _tag = "BlockedError"
  override readonly name = "BlockedError"
  override readonly isRetryable = true
  readonly lease: Lease | undefined
  readonly blockers: ReadonlyArray<BlockerView>
  constructor(
    options: Options & { readonly lease?: Lease | undefined; readonly blockers?: ReadonlyArray<BlockerView> }
  ) {
    super(options)
    this.lease = options.lease
    this.blockers = options.blockers ?? []
  }
}

/**
 * The turn of a request did not come within its `queueTimeout`: it was withdrawn, and nothing was done. Its `name` is
 * `TimeoutError`, as everywhere on Node; its `code` is `queue_timeout`. Worth repeating under another correlation id.
 */
export class QueueTimeoutError extends Base<"QueueTimeoutError"> {
  readonly _tag = "QueueTimeoutError"
  override readonly name = "TimeoutError"
  override readonly isRetryable = true
  readonly correlationId: string
  constructor(options: Options & { readonly correlationId: string }) {
    super(options)
    this.correlationId = options.correlationId
  }
}

/** It does not fit the state that things are in. */
export class ConflictError extends Base<"ConflictError"> {
  readonly _tag = "ConflictError"
  override readonly name = "ConflictError"
}

/**
 * The lease ended: another process took the execution over (`lease_lost`), or the store was out of reach for longer than the
 * lease lasts (`lease_expired`, which is retryable). What ran under it was stopped, and this process changes nothing more.
 */
export class LeaseLostError extends Base<"LeaseLostError"> {
  readonly _tag = "LeaseLostError"
  override readonly name = "LeaseLostError"
  override readonly isRetryable: boolean
  constructor(options: Options & Pick<LeaseLostError, "isRetryable">) {
    super(options)
    this.isRetryable = options.isRetryable
  }
}

/** The store failed; `reason` says how. */
export class StoreFailedError extends Base<"StoreFailedError"> {
  readonly _tag = "StoreFailedError"
  override readonly name = "StoreFailedError"
  readonly reason: "Unavailable" | "Full" | "ReadOnly" | "Corrupt" | "NewerWriter" | "Misconfigured" | "Unexpected"
  override readonly isRetryable: boolean
  constructor(options: Options & Pick<StoreFailedError, "reason" | "isRetryable">) {
    super(options)
    this.reason = options.reason
    this.isRetryable = options.isRetryable
  }
}

/** A provider failed while it was asked for a plan. */
export class ProviderFailedError extends Base<"ProviderFailedError"> {
  readonly _tag = "ProviderFailedError"
  override readonly name = "ProviderFailedError"
  readonly provider: string
  readonly reason: string
  override readonly isRetryable: boolean
  constructor(options: Options & Pick<ProviderFailedError, "provider" | "reason" | "isRetryable">) {
    super(options)
    this.provider = options.provider
    this.reason = options.reason
    this.isRetryable = options.isRetryable
  }
}

/**
 * An `AbortSignal` or `close` stopped it; its `name` is `AbortError`, as everywhere on Node, and its `cause` the reason of the
 * signal. An execution that was in progress is `paused`, its leases are given back, and `attach` carries it on; a command is
 * ended, and one that waits for its turn is withdrawn.
 */
export class InterruptedError extends Base<"InterruptedError"> {
  readonly _tag = "InterruptedError"
  override readonly name = "AbortError"
}

/** A defect, of Signalbox or of an adapter; `cause` is what was thrown. */
export class UnexpectedError extends Base<"UnexpectedError"> {
  readonly _tag = "UnexpectedError"
  override readonly name = "UnexpectedError"
}

/**
 * Everything that the Promise facade rejects with.
 *
 * *Example*
 *
 * ```ts
 * try {
 *   await signalbox.deploy(request)
 * } catch (error) {
 *   if (!isSignalboxError(error)) throw error
 *   if (error._tag === "BlockedError") for (const { message } of error.blockers) console.log(message)
 *   else console.log(error.code, error.message, error.hint)
 * }
 * ```
 */
export type SignalboxError =
  | ConfigurationError
  | InvalidInputError
  | NotFoundError
  | BlockedError
  | QueueTimeoutError
  | ConflictError
  | LeaseLostError
  | StoreFailedError
  | ProviderFailedError
  | InterruptedError
  | UnexpectedError

/** Tells whether something that was caught is one of them. */
export const isSignalboxError = (error: unknown): error is SignalboxError => error instanceof Base
