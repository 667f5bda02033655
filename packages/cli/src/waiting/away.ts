/**
 * Outages of the store.
 */
import type { LeaseLost, StoreError } from "@signalbox/core/spi"

/** Whether the store is temporarily unavailable, which is no reason to give up. */
export const isAway = (error: unknown): error is StoreError => {
  const { _tag, reason } = error as { readonly _tag?: unknown; readonly reason?: unknown }
  return _tag === "StoreError" && reason === "Unavailable"
}

/** Whether a lease was lost because the store was unavailable for longer than the lease lasts. */
export const hasExpired = (error: unknown): error is LeaseLost => {
  const { _tag, outage } = error as { readonly _tag?: unknown; readonly outage?: unknown }
  return _tag === "LeaseLost" && outage !== undefined
}

/** The message when one begins, and without an error when it is over. */
export const outage = (error: StoreError | undefined): string =>
  error === undefined ? "the store is back" : `the store is away, and asked again until it is back: ${error.message}`
