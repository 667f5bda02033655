/**
 * The state files: a projection of the store, rewritten after every change of a deployment.
 */
import {
  type CorrelationId,
  type DeploymentId,
  DeploymentStore,
  type EventTag,
  type ExecutionKind,
  type StoreError
} from "@signalbox/core/spi"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { join } from "node:path"
import { metadataFile, metadataIn } from "./metadata.ts"
import type { Shown } from "./stateYaml.ts"
import { writeAtomically } from "./writeAtomically.ts"

/** The name of the file that shows the state. */
export const stateFile = ".deployment-state.yaml"

/**
 * A state file could not be written.
 *
 * *Errors*: not retryable; the deployment is not affected.
 */
export class StateFileError extends Schema.TaggedError<StateFileError>()("StateFileError", {
  path: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    const why = this.cause instanceof Error ? `: ${this.cause.message}` : ""
    return `${this.path} could not be written${why}`
  }
}

/** The files change only with these. */
const tags: ReadonlyArray<EventTag> = [
  "DeploymentInitialized",
  "ExecutionRequested",
  "ExecutionTransitioned",
  "DeploymentTransitioned",
  "StackTransitioned",
  "CheckpointRecorded",
  "OutputsRecorded"
]

/**
 * Writes the state files.
 *
 * *Details*: `write` writes both files of one deployment, and nothing if the deployment does not exist. It reads again
 * after writing: of several processes, the last writer has seen the newest state.
 */
export class StateFiles extends Context.Service<
  StateFiles,
  { readonly write: (id: DeploymentId) => Effect.Effect<void, StateFileError | StoreError> }
>()("@signalbox/node/StateFiles") {
  /**
   * `folder` returns the folder of a deployment, undefined for one that has none here; a missing folder is created. `store`
   * is the configured URL of the store, without a password (default: the one that is written there).
   */
  static readonly layer = (options: {
    readonly folder: (id: DeploymentId) => string | undefined
    readonly store?: string
  }): Layer.Layer<StateFiles, never, DeploymentStore> =>
    Layer.effect(
      StateFiles,
      Effect.map(DeploymentStore, (store) => ({
        write: (id: DeploymentId) => {
          const folder = options.folder(id)
          return folder === undefined
            ? Effect.void
            : write(store, folder, id, options.store ?? metadataIn(folder)?.store)
        }
      }))
    )

  /**
   * Follows the store and writes the files of every deployment that changed, until the scope ends; pending changes are
   * written first. A failure is logged and stops nothing.
   */
  static readonly layerFollow: Layer.Layer<never, StoreError, StateFiles | DeploymentStore> = Layer.effectDiscard(
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      const files = yield* StateFiles
      let after = yield* store.head
      const catchUp = Effect.gen(function* () {
        for (;;) {
          const head = yield* store.head
          const events = yield* store.events({ after, tags })
          const changed = new Set(events.map(({ deploymentId }) => deploymentId))
          yield* Effect.forEach(changed, logged(files), { discard: true })
          const last = events.at(-1)?.position ?? after
          const isAll = events.length < 1_000
          after = isAll ? Math.max(head, last) : last
          if (isAll) return
        }
      })
      // Processes that use the store report its outage; the next change writes what is missing.
      const ignored = Effect.catch(catchUp, (error) =>
        error.isRetryable ? Effect.void : Effect.logWarning(`The state files are behind: ${error.message}`)
      )
      yield* Effect.addFinalizer(() => ignored)
      yield* Effect.forkScoped(Stream.runForEach(store.changes, () => Effect.uninterruptible(ignored)))
    })
  )
}

const logged = (files: StateFiles["Service"]) => (id: DeploymentId) =>
  Effect.catchTag(files.write(id), "StateFileError", ({ message }) => Effect.logWarning(message))

const read = Effect.fnUntraced(function* (
  store: DeploymentStore["Service"],
  id: DeploymentId
): Effect.fn.Return<Shown | undefined, StoreError> {
  const deployment = yield* store.deployment(id)
  if (deployment === undefined) return undefined
  const environments = yield* store.environments(id)
  const operations = new Map<CorrelationId, ExecutionKind>()
  for (const { current } of environments) {
    const execution = current === null ? undefined : yield* store.execution(current)
    if (execution !== undefined) operations.set(execution.correlationId, execution.kind)
  }
  return { deployment, environments, operations }
})

/** Only a writer loads YAML: most commands change nothing. */
const yaml = Effect.promise(() => import("./stateYaml.ts"))

const write = Effect.fnUntraced(function* (
  store: DeploymentStore["Service"],
  folder: string,
  id: DeploymentId,
  url: string | undefined
): Effect.fn.Return<void, StateFileError | StoreError> {
  let written = ""
  for (;;) {
    const shown = yield* read(store, id)
    if (shown === undefined) return
    const { metadataYaml, stateYaml } = yield* yaml
    const texts = [
      [metadataFile, metadataYaml(url === undefined ? shown : { ...shown, store: url })],
      [stateFile, stateYaml(shown)]
    ] as const
    const now = JSON.stringify(texts)
    if (now === written) return
    for (const [file, text] of texts) {
      const path = join(folder, file)
      yield* Effect.tryPromise({
        try: () => writeAtomically(path, text),
        catch: (cause) => new StateFileError({ path, cause })
      })
    }
    written = now
  }
})
