import type { StoreError } from "@signalbox/core/spi"

/** The error of this store, as the boundary of plug-ins expects it. */
export class StoreFailure extends Error {
  readonly reason: StoreError["reason"]
  readonly detail: string

  constructor(reason: StoreError["reason"], detail: string, cause?: unknown) {
    super(detail, { cause })
    this.reason = reason
    this.detail = detail
  }
}
