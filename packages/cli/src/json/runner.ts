import type { Lease } from "@signalbox/core/spi"
import { iso } from "./execution.ts"

/** The current runner of an execution; null if there is none. */
export const runnerView = (lease: Lease | undefined) =>
  lease === undefined
    ? null
    : { owner: lease.owner, acquiredAt: iso(lease.acquiredAt), expiresAt: iso(lease.expiresAt) }
