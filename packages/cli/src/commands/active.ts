import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { DeploymentStore, type Lease, LeaseStore } from "@signalbox/core/spi"
import { invocation } from "../Invocation.ts"
import { executionView, iso } from "../json/execution.ts"
import { hasStore, withServices } from "../services.ts"
import { deployment } from "./flags.ts"
import { executionTable, within } from "./history.ts"

const leaseView = (lease: Lease) => ({
  key: lease.key,
  owner: lease.owner,
  acquiredAt: iso(lease.acquiredAt),
  expiresAt: iso(lease.expiresAt)
})

export const active = Command.make("active", { id: deployment }, Effect.fnUntraced(function*(flags) {
  const inv = yield* invocation
  const read = Effect.gen(function*() {
    const store = yield* DeploymentStore
    const leases = yield* Effect.flatMap(LeaseStore, ({ list }) => list)
    const page = yield* store.executions({
      ...(Option.isSome(flags.id) ? { deploymentId: flags.id.value } : {}),
      ...within(inv),
      finished: false,
      limit: 1000
    })
    const now = Date.now()
    return page.items.map((state) => ({
      ...executionView(state, now),
      leases: leases.filter(({ expiresAt, holder }) => holder === state.correlationId && expiresAt > now).map(leaseView)
    }))
  })
  const executions = hasStore(inv) ? yield* withServices(inv, read) : []
  yield* inv.result({ executions }, () => {
    if (executions.length === 0) return ["Nothing is under way."]
    const alone = executions.filter(({ leases }) => leases.length === 0)
    return [
      ...executionTable(executions, inv),
      ...(alone.length === 0 ? [] : [
        "",
        `without a runner: ${alone.map(({ correlationId }) => correlationId).join(", ")}`,
        `next:  ${inv.paint("cyan", `signalbox attach ${alone[0]!.correlationId}`)}`
      ])
    ]
  })
})).pipe(Command.withDescription("The executions under way, and those that a runner has left"))
