import * as Schema from "effect/Schema"
import { StoredEvent } from "../domain/Event.ts"
import { ExecutionState } from "../domain/ExecutionState.ts"
import { ProviderError } from "../spi/ProviderError.ts"
import { StoreError } from "../spi/StoreError.ts"

/**
 * What a monitor reports.
 *
 * *Details*: `Event` an event of the log, from the first on · `Look` the state after a look, `silentMs` since the last
 * sign of life · `Trouble` a provider that does not answer · `Outage` the store is unavailable, or, without an `error`,
 * back · `Ended` nothing more comes; without an execution if there was none.
 */
export const MonitorReport = Schema.TaggedUnion({
  Event: { event: StoredEvent },
  Look: { execution: ExecutionState, silentMs: Schema.Finite },
  Trouble: { error: ProviderError },
  Outage: { error: Schema.UndefinedOr(StoreError) },
  Ended: { execution: Schema.UndefinedOr(ExecutionState) }
}).annotate({ identifier: "MonitorReport" })
export type MonitorReport = typeof MonitorReport.Type
