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
import {
  access,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile
} from "node:fs/promises"
import { join, relative } from "node:path"

export const capabilities: Capabilities = {
  spiVersion: 1,
  traffic: "switch",
  capacity: false,
  fencing: "guarded",
  outputs: ["path"]
}

/** The memory of a stack. It is a file, because each command is a new process. */
const State = Schema.Struct({
  stable: Schema.NullOr(Release),
  candidate: Schema.NullOr(Release),
  /** The releases that were stable, the latest first. */
  kept: Schema.Array(Schema.String),
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

/** How many old releases are kept for a rollback. */
const mostKept = 3

/** The artifact of a release may have other content by now, so that it is not published again. */
const gone = ({ version }: Release): string => `${version} is not kept any more`

/** The digest of a folder: of the names and contents of its files. */
const digestOf = async (folder: string): Promise<string> => {
  const hash = createHash("sha256")
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  for (const file of files.sort()) {
    const content = await readFile(file)
    hash.update(`${relative(folder, file)}\0${content.length}\0`).update(content)
  }
  return hash.digest("hex")
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
  const keptOf = (ref: StackRef, id: string) => join(folderOf(ref), "kept", id)
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
          if (error.code === "ENOENT") return '{"stable":null,"candidate":null,"kept":[],"changedAt":0}'
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
  /** Sets all other releases aside, and forgets the oldest. */
  const keepOnly = Effect.fnUntraced(function* (ref: StackRef, release: Release) {
    const before = (yield* read(ref)).kept.filter((id) => id !== release.id)
    const kept = [release.id, ...before].slice(0, mostKept + 1)
    yield* attempt(ref, "keep", async () => {
      await mkdir(join(folderOf(ref), "kept"), { recursive: true })
      for (const id of await readdir(join(folderOf(ref), "releases"))) {
        if (id === release.id) continue
        await rm(keptOf(ref, id), { recursive: true, force: true })
        await rename(releaseOf(ref, id), keptOf(ref, id))
      }
      for (const id of await readdir(join(folderOf(ref), "kept"))) {
        if (!kept.includes(id)) await rm(keptOf(ref, id), { recursive: true, force: true })
      }
    })
    yield* write(ref, { stable: release, candidate: null, kept })
  })
  /** Whether a release is there, now or again. */
  const bringBack = Effect.fnUntraced(function* (ref: StackRef, id: string) {
    if (yield* isThere(releaseOf(ref, id))) return true
    if (!(yield* isThere(keptOf(ref, id)))) return false
    yield* attempt(ref, "keep", async () => {
      await mkdir(join(folderOf(ref), "releases"), { recursive: true })
      await rename(keptOf(ref, id), releaseOf(ref, id))
    })
    return true
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

  // One change at a time. Each first checks whether the lease is still held: files cannot compare fences.
  const lock = Semaphore.makeUnsafe(1)
  const change = <A>(ref: StackRef, { guard }: Mutation, body: (state: State) => Effect.Effect<A, ProviderError>) =>
    lock.withPermits(1)(Effect.andThen(guard, Effect.flatMap(read(ref), body)))

  /** A release is what was planned: if the folder has changed since, it is another one. */
  const publish = Effect.fnUntraced(function* (ref: StackRef, release: Release, target: string) {
    const { artifact = "", digest = "", version } = release
    const copy = options.publish ?? ((from, to) => Effect.promise(() => cp(from, to, { recursive: true })))
    yield* Effect.catch(copy(artifact, target), (cause) => fail(ref, "publish", reasonOf(cause)))
    const is = yield* attempt(ref, "publish", () => digestOf(target))
    if (is !== digest) {
      const message = `${artifact} has changed`
      return yield* fail(ref, "publish", { _tag: "Changed", message, field: "artifact", was: digest, is })
    }
    if (!(yield* isThere(join(target, "index.html")))) {
      return yield* fail(ref, "publish", { _tag: "Broken", message: `${version} has no index.html` })
    }
  })

  /** A folder for one attempt, so that a superseded runner disturbs no other one. */
  const draft = (ref: StackRef, id: string) =>
    Effect.acquireRelease(
      attempt(ref, "publish", async () => {
        await mkdir(join(folderOf(ref), "drafts"), { recursive: true })
        return mkdtemp(join(folderOf(ref), "drafts", `${id}-`))
      }),
      (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
    )

  const destroy: Provider["destroy"] = (ref, mutation) =>
    change(ref, mutation, () =>
      Effect.gen(function* () {
        yield* attempt(ref, "destroy", async () => {
          await rm(currentOf(ref), { force: true })
          for (const folder of ["releases", "kept", "drafts"]) {
            await rm(join(folderOf(ref), folder), { recursive: true, force: true })
          }
        })
        yield* write(ref, { stable: null, candidate: null, kept: [] })
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
      // The same folder may have other files tomorrow, so that its path does not tell one release from another.
      const digest = yield* attempt(ref, "plan", () => digestOf(artifact))
      const id = createHash("sha256").update(`${version} ${digest}`).digest("hex").slice(0, 12)
      const candidate: Release = { id, version, artifact, digest, configDigest: "" }
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
      const ready = yield* change(ref, mutation, ({ stable }) =>
        Effect.gen(function* () {
          if (stable?.id !== id) yield* write(ref, { candidate: plan.candidate })
          return yield* bringBack(ref, id)
        })
      )
      if (ready) return yield* observe(ref)
      // The long part runs without the lock, so that a rollback need not wait for it.
      const files = join(yield* draft(ref, id), "files")
      yield* reportProgress(mutation, `publishing ${plan.candidate.version}`)
      yield* publish(ref, plan.candidate, files)
      yield* change(ref, mutation, ({ candidate }) =>
        Effect.gen(function* () {
          if (candidate?.id !== id) {
            return yield* fail(ref, "stage", { _tag: "Conflict", message: "it was called off meanwhile" })
          }
          if (yield* bringBack(ref, id)) return
          yield* attempt(ref, "stage", async () => {
            await mkdir(join(folderOf(ref), "releases"), { recursive: true })
            await rename(files, releaseOf(ref, id))
          })
        })
      )
      return yield* observe(ref)
    }, Effect.scoped),

    rollback: (ref, checkpoint, mutation) =>
      Effect.gen(function* () {
        const { release } = checkpoint
        if (release === null) yield* destroy(ref, mutation)
        else {
          yield* change(ref, mutation, () =>
            Effect.gen(function* () {
              if (!(yield* bringBack(ref, release.id))) {
                yield* fail(ref, "rollback", { _tag: "Missing", message: gone(release) })
              }
              yield* switchTo(ref, release.id)
              yield* keepOnly(ref, release)
            })
          )
        }
        return yield* observe(ref)
      }),

    canGoBack: Effect.fnUntraced(function* (ref, { release }) {
      if (release === null) return { how: "switch", why: "nothing was there before" }
      const there = (yield* isThere(releaseOf(ref, release.id))) || (yield* isThere(keptOf(ref, release.id)))
      return there
        ? { how: "switch", why: `${release.version} is still there` }
        : { how: "impossible", why: gone(release) }
    }),

    traffic: {
      shift: (ref, { percent, releaseId }, mutation) =>
        change(ref, mutation, ({ stable }) =>
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
        change(ref, mutation, ({ candidate, stable }) =>
          Effect.gen(function* () {
            const current = yield* live(ref)
            const kept = [stable, candidate].find((release) => release?.id === keep)
            if (kept === undefined || kept === null || (current !== undefined && current !== keep)) {
              return yield* fail(ref, "retire", { _tag: "Conflict", message: `${current} is live, not ${keep}` })
            }
            if (capacityPercent === 0) {
              yield* keepOnly(ref, kept)
            }
            return yield* observe(ref)
          })
        )
    }
  }
}
