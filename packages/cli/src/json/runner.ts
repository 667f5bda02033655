import type { Lease } from "@signalbox/core/spi"
import { iso } from "./execution.ts"

/** Who runs an execution at the moment; null where nobody does. */
export const runnerView = (lease: Lease | undefined) =>
  lease === undefined
    ? null
    : { owner: lease.owner, acquiredAt: iso(lease.acquiredAt), expiresAt: iso(lease.expiresAt) }
