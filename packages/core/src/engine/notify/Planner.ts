/**
 * Turns what is owed of a stream into deliveries, and writes them with the mark.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { DeploymentId } from "../../domain/Ids.ts"
import type { Message } from "../../domain/notification/index.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { NotificationSetup } from "../../spi/Notifications.ts"
import type { Owed } from "../../spi/Outbox.ts"
import { settled } from "./chains.ts"
import type { Claim } from "./Claims.ts"
import { plan } from "./plan.ts"
import { beginning, eventsAfter, type Moment } from "./Timeline.ts"

/** How many streams are remembered as they were. */
const remembered = 128

/** The planner of a worker. It remembers streams, so that each event is read once. */
export const makePlanner = (setup: NotificationSetup, store: DeploymentStore["Service"]) => {
  const { outbox } = store
  const moments = new Map<string, Moment>()
  const deployments = new Map<string, Message["deployment"]>()

  const remember = (stream: string, moment: Moment) => {
    moments.delete(stream)
    moments.set(stream, moment)
    if (moments.size > remembered) moments.delete(moments.keys().next().value!)
  }

  const deploymentOf = Effect.fnUntraced(function* (id: string) {
    if (!deployments.has(id)) {
      const found = yield* store.deployment(id as DeploymentId)
      deployments.set(
        id,
        found === undefined
          ? undefined
          : { id: found.deploymentId, organization: found.organization, project: found.project }
      )
    }
    return deployments.get(id)
  })

  /** Plans what is owed of a claimed stream. */
  return Effect.fnUntraced(function* ({ deploymentId, stream }: Owed, claim: Claim) {
    const owed = yield* outbox.mark(stream)
    if (owed === undefined || owed.mark >= owed.seq) return
    const known = moments.get(stream)
    const moment = known === undefined || known.seq > owed.mark ? beginning : known
    const events = yield* Effect.provideService(eventsAfter(stream, moment), DeploymentStore, store)
    const rows = yield* outbox.deliveries({ stream, limit: 10_000 })
    const now = yield* Clock.currentTimeMillis
    const { changes, moment: last } = plan({
      settings: setup.settings,
      deployment: yield* deploymentOf(deploymentId),
      deploymentId,
      rows,
      moment,
      mark: owed.mark,
      events,
      now
    })
    yield* outbox.write({
      guards: [claim.lease],
      mark: { stream, from: owed.mark, to: Math.max(owed.seq, last.seq) },
      deliveries: settled(rows, changes, now)
    })
    claim.version++
    remember(stream, last)
  })
}
