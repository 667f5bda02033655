/**
 * A provider for static sites on one host. A release is a folder, and the symbolic link `current`, which a web server
 * follows, decides which one is live: traffic moves in one switch.
 */
import {
  type Capabilities,
  type Mutation,
  type Observation,
  type Provider,
  ProviderError,
  type ProviderReason,
  Release,
  type StackRef,
  reportProgress
} from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { createHash } from "node:crypto"
import { access, cp, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"

export const capabilities: Capabilities = {
  spiVersion: 1,
  traffic: "switch",
  capacity: false,
  fencing: "compared",
  outputs: ["path"]
}

/** The memory of a stack: its releases, and the newest lease that changed it. */
const State = Schema.Struct({
  fence: Schema.Int,
  stable: Schema.NullOr(Release),
  candidate: Schema.NullOr(Release),
  changedAt: Schema.Int
})
type State = typeof State.Type

/** Every failure of the host gets a reason: core repeats some of them, and shows the others with a hint. */
const reasonOf = (cause: unknown): ProviderReason => {
  const message = cause instanceof Error ? cause.message : String(cause)
  switch ((cause as { readonly code?: string }).code) {
    case "ENOENT":
      return { _tag: "Missing", message }
    case "EACCES":
    case "EPERM":
      return { _tag: "Denied", message }
    case "EBUSY":
      return { _tag: "Unavailable", message }
    default:
      return { _tag: "Unexpected", message }
  }
}

/** `publish` brings the files of an artifact to the host; the default copies a folder. */
export const make = (options: {
  readonly directory: string
  readonly publish?: (artifact: string, target: string) => Effect.Effect<void, unknown>
}): Provider => {
  const fail = (ref: StackRef, operation: string, reason: ProviderReason) =>
    Effect.fail(new ProviderError({ provider: "site", operation, stackName: ref.stack, reason }))
  const attempt = <A>(ref: StackRef, operation: string, evaluate: () => Promise<A>) =>
    Effect.catch(Effect.tryPromise({ try: evaluate, catch: reasonOf }), (reason) => fail(ref, operation, reason))

  const folderOf = (ref: StackRef) => join(options.directory, `${ref.deploymentId}-${ref.environment}-${ref.stack}`)
  const releaseOf = (ref: StackRef, id: string) => join(folderOf(ref), "releases", id)
  const currentOf = (ref: StackRef) => join(folderOf(ref), "current")
  const isThere = (path: string) =>
    Effect.promise(() =>
      access(path).then(
        () => true,
        () => false
      )
    )

  const read = (ref: StackRef): Effect.Effect<State, ProviderError> =>
    Effect.flatMap(
      attempt(ref, "read", () =>
        readFile(join(folderOf(ref), "state.json"), "utf8").catch((error) => {
          if (error.code === "ENOENT") return '{"fence":0,"stable":null,"candidate":null,"changedAt":0}'
          throw error
        })
      ),
      (text) => Effect.orDie(Schema.decodeUnknownEffect(Schema.fromJsonString(State))(text))
    )
  const write = Effect.fnUntraced(function* (ref: StackRef, change: Partial<State>) {
    const state = { ...(yield* read(ref)), changedAt: yield* Clock.currentTimeMillis, ...change }
    const file = join(folderOf(ref), "state.json")
    yield* attempt(ref, "write", async () => {
      await mkdir(folderOf(ref), { recursive: true })
      await writeFile(`${file}.new`, JSON.stringify(state))
      await rename(`${file}.new`, file)
    })
  })

  /** The release that is really live: read from the host, not remembered. */
  const live = (ref: StackRef) =>
    attempt(ref, "observe", () =>
      readlink(currentOf(ref)).then(
        (target) => target.replace(/^releases\//, ""),
        () => undefined
      )
    )
  const switchTo = (ref: StackRef, id: string) =>
    attempt(ref, "shift", async () => {
      await rm(`${currentOf(ref)}.new`, { force: true })
      await symlink(join("releases", id), `${currentOf(ref)}.new`)
      await rename(`${currentOf(ref)}.new`, currentOf(ref))
    })
  const present = (ref: StackRef) =>
    attempt(ref, "observe", () => readdir(join(folderOf(ref), "releases")).catch(() => []))
  const removeAllBut = Effect.fnUntraced(function* (ref: StackRef, keep: string | undefined) {
    for (const id of yield* present(ref)) {
      if (id !== keep) yield* attempt(ref, "remove", () => rm(releaseOf(ref, id), { recursive: true, force: true }))
    }
  })

  const observe = Effect.fnUntraced(function* (ref: StackRef): Effect.fn.Return<Observation, ProviderError> {
    const { candidate, changedAt, stable } = yield* read(ref)
    const current = yield* live(ref)
    const ids = yield* present(ref)
    return {
      status: stable === null && candidate === null ? "absent" : "ready",
      stable,
      candidate,
      traffic: current === undefined ? [] : [{ releaseId: current, percent: 100 }],
      health: Object.fromEntries(ids.map((id) => [id, { healthy: 1, total: 1, unit: "release" as const }])),
      operation: null,
      lastChangedAt: changedAt === 0 ? null : changedAt,
      outputs: { path: currentOf(ref) },
      resources: ids.map((id) => ({ id: releaseOf(ref, id), type: "folder", status: "published" }))
    }
  })

  // One change at a time. Each first checks whether the lease is still held, and refuses a superseded runner.
  const lock = Semaphore.makeUnsafe(1)
  const change = <A>(
    ref: StackRef,
    operation: string,
    mutation: Mutation,
    body: (state: State) => Effect.Effect<A, ProviderError>
  ) =>
    lock.withPermits(1)(
      Effect.gen(function* () {
        const state = yield* read(ref)
        if (mutation.fence < state.fence) {
          const message = `lease ${state.fence} has been here`
          return yield* fail(ref, operation, { _tag: "Fenced", message, fence: state.fence })
        }
        yield* mutation.guard
        if (mutation.fence > state.fence) yield* write(ref, { fence: mutation.fence })
        return yield* body(state)
      })
    )

  const publish = Effect.fnUntraced(function* (ref: StackRef, release: Release, target: string) {
    const copy = options.publish ?? ((from, to) => Effect.promise(() => cp(from, to, { recursive: true })))
    yield* attempt(ref, "publish", async () => {
      await access(release.artifact ?? "")
      await rm(target, { recursive: true, force: true })
    })
    yield* Effect.catch(copy(release.artifact ?? "", target), (cause) => fail(ref, "publish", reasonOf(cause)))
    if (!(yield* isThere(join(target, "index.html")))) {
      yield* attempt(ref, "publish", () => rm(target, { recursive: true, force: true }))
      yield* fail(ref, "publish", { _tag: "Broken", message: `${release.version} has no index.html` })
    }
  })

  const destroy: Provider["destroy"] = (ref, mutation) =>
    change(ref, "destroy", mutation, () =>
      Effect.gen(function* () {
        yield* attempt(ref, "destroy", () => rm(currentOf(ref), { force: true }))
        yield* removeAllBut(ref, undefined)
        yield* write(ref, { stable: null, candidate: null })
      })
    )

  return {
    kind: "site",
    capabilities,
    properties: Schema.Struct({}),
    observe,
    destroy,

    plan: Effect.fnUntraced(function* (ref, { artifact, version }) {
      const { stable } = yield* read(ref)
      if (artifact === undefined) {
        return yield* fail(ref, "plan", { _tag: "Invalid", message: "a folder to publish is needed", path: [] })
      }
      const digest = createHash("sha256").update(`${version} ${artifact}`).digest("hex")
      const candidate: Release = { id: digest.slice(0, 12), version, artifact, configDigest: "" }
      return {
        action: stable === null ? "create" : stable.id === candidate.id ? "none" : "update",
        candidate,
        checkpoint: { release: stable, takenAt: yield* Clock.currentTimeMillis, data: null },
        changes: [`publish ${artifact} as ${version}`],
        rollback: stable === null ? "remove the site" : `switch back to ${stable.version}`,
        warnings: []
      }
    }),

    stage: Effect.fnUntraced(function* (ref, { plan }, mutation) {
      const { id } = plan.candidate
      const announce = (state: State) =>
        state.stable?.id === id ? Effect.void : write(ref, { candidate: plan.candidate })
      yield* change(ref, "stage", mutation, announce)
      if (yield* isThere(releaseOf(ref, id))) return yield* observe(ref)
      // The long part runs without the lock, into a folder of its own, so that a rollback need not wait for it.
      const draft = join(folderOf(ref), "drafts", id)
      yield* reportProgress(mutation, `publishing ${plan.candidate.version}`)
      yield* publish(ref, plan.candidate, draft)
      yield* change(ref, "stage", mutation, ({ candidate }) =>
        candidate?.id === id
          ? attempt(ref, "stage", async () => {
              await mkdir(join(folderOf(ref), "releases"), { recursive: true })
              await rename(draft, releaseOf(ref, id))
            })
          : fail(ref, "stage", { _tag: "Conflict", message: "it was called off meanwhile" })
      )
      return yield* observe(ref)
    }),

    rollback: (ref, checkpoint, mutation) =>
      Effect.gen(function* () {
        const { release } = checkpoint
        if (release === null) yield* destroy(ref, mutation)
        else {
          yield* change(ref, "rollback", mutation, () =>
            Effect.gen(function* () {
              const target = releaseOf(ref, release.id)
              if (!(yield* isThere(target))) yield* publish(ref, release, target)
              yield* switchTo(ref, release.id)
              yield* removeAllBut(ref, release.id)
              yield* write(ref, { stable: release, candidate: null })
            })
          )
        }
        return yield* observe(ref)
      }),

    traffic: {
      shift: (ref, { percent, releaseId }, mutation) =>
        change(ref, "shift", mutation, ({ stable }) =>
          Effect.gen(function* () {
            if (percent !== 0 && percent !== 100) {
              const message = "a site is switched as a whole"
              return yield* fail(ref, "shift", { _tag: "Unsupported", message, capability: "traffic" })
            }
            const target = percent === 100 ? releaseId : stable?.id
            if (target === undefined) {
              // Nothing was live before this release, so no release gets the traffic.
              yield* attempt(ref, "shift", () => rm(currentOf(ref), { force: true }))
              return yield* observe(ref)
            }
            if (!(yield* isThere(releaseOf(ref, target)))) {
              return yield* fail(ref, "shift", { _tag: "Missing", message: `there is no release ${target}` })
            }
            yield* switchTo(ref, target)
            return yield* observe(ref)
          })
        ),

      retire: (ref, { capacityPercent, keep }, mutation) =>
        change(ref, "retire", mutation, ({ candidate, stable }) =>
          Effect.gen(function* () {
            const current = yield* live(ref)
            const kept = [stable, candidate].find((release) => release?.id === keep)
            if (kept === undefined || kept === null || (current !== undefined && current !== keep)) {
              return yield* fail(ref, "retire", { _tag: "Conflict", message: `${current} is live, not ${keep}` })
            }
            if (capacityPercent === 0) {
              yield* removeAllBut(ref, keep)
              yield* write(ref, { stable: kept, candidate: null })
            }
            return yield* observe(ref)
          })
        )
    }
  }
}
