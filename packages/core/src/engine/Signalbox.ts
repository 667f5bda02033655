/**
 * The facade for the CLI, the dashboard and embedding programs.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { DeploymentStore } from "../spi/DeploymentStore.ts"
import type { LeaseStore } from "../spi/LeaseStore.ts"
import type { Providers } from "../spi/Providers.ts"
import { Coordination, Deployments, Executions, Monitoring, Notices } from "./facade/index.ts"

type Groups = Deployments | Executions | Coordination | Monitoring | Notices

/**
 * The facade, in five groups. Each group is also a separate service.
 *
 * *Details*: questions and answers are data that could cross a network, or streams of it; only `executions.run` takes a
 * function, the local runner of a foreign command.
 */
export class Signalbox extends Context.Service<
  Signalbox,
  {
    readonly deployments: Deployments["Service"]
    readonly executions: Executions["Service"]
    readonly coordination: Coordination["Service"]
    readonly monitoring: Monitoring["Service"]
    readonly notices: Notices["Service"]
  }
>()("@signalbox/core/engine/Signalbox") {
  /** The facade over any five services, such as another process's. */
  static readonly layerGroups: Layer.Layer<Signalbox, never, Groups> = Layer.effect(
    Signalbox,
    Effect.gen(function* () {
      return Signalbox.of({
        deployments: yield* Deployments,
        executions: yield* Executions,
        coordination: yield* Coordination,
        monitoring: yield* Monitoring,
        notices: yield* Notices
      })
    })
  )

  /**
   * The embedded facade: this process runs the executions.
   */
  static readonly layer: Layer.Layer<Signalbox | Groups, never, DeploymentStore | LeaseStore | Providers> =
    Signalbox.layerGroups.pipe(
      Layer.provideMerge(
        Layer.mergeAll(Deployments.layer, Executions.layer, Coordination.layer, Monitoring.layer, Notices.layer)
      )
    )
}
