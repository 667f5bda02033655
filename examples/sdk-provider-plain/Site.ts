/**
 * A release is a folder, and the symbolic link `current`, which a web server follows, decides which one is live.
 */
import type { MutatingCall, PlainMutation, PlainProvider, StackCall } from "@signalbox/core/plugin"
import type { ProviderReason, Release } from "@signalbox/core/spi"
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

type Ref = StackCall["ref"]

/** The memory of a stack. It is a file, because each command is a new process. */
interface State {
  readonly stable: Release | null
  readonly candidate: Release | null
  /** The releases that were stable, the latest first. */
  readonly kept: ReadonlyArray<string>
  readonly changedAt: number
}

/** What a provider fails with: an error that has a reason. */
const failure = (reason: ProviderReason): Error => Object.assign(new Error(reason.message), { reason })

/** Failures of the host get reasons: the engine repeats some of them, and shows the others with a hint. */
const attempt = async <A>(work: () => Promise<A>): Promise<A> => {
  try {
    return await work()
  } catch (error) {
    const { code, message, reason } = error as {
      readonly code?: string
      readonly message: string
      readonly reason?: unknown
    }
    if (reason !== undefined) throw error
    if (code === "ENOENT") throw failure({ _tag: "Missing", message })
    if (code === "EACCES" || code === "EPERM") throw failure({ _tag: "Denied", message })
    throw error
  }
}

/** The artifact of a release may have other content by now, so that it is not published again. */
const gone = ({ version }: Release): string => `${version} is not kept any more`

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false
  )

/** How many old releases are kept for a rollback. */
const mostKept = 3

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

export const make = (
  root: string,
  publish = (from: string, to: string): Promise<void> => cp(from, to, { recursive: true })
): PlainProvider => {
  const folderOf = (ref: Ref) => join(root, `${ref.deploymentId}-${ref.environment}-${ref.stack}`)
  const releaseOf = (ref: Ref, id: string) => join(folderOf(ref), "releases", id)
  const keptOf = (ref: Ref, id: string) => join(folderOf(ref), "kept", id)
  const currentOf = (ref: Ref) => join(folderOf(ref), "current")

  const read = async (ref: Ref): Promise<State> => {
    try {
      return JSON.parse(await readFile(join(folderOf(ref), "state.json"), "utf8")) as State
    } catch (error) {
      if ((error as { readonly code?: string }).code !== "ENOENT") throw error
      return { stable: null, candidate: null, kept: [], changedAt: 0 }
    }
  }
  const write = async (ref: Ref, change: Partial<State>): Promise<void> => {
    const file = join(folderOf(ref), "state.json")
    const state = { ...(await read(ref)), changedAt: Date.now(), ...change }
    await mkdir(folderOf(ref), { recursive: true })
    await writeFile(`${file}.new`, JSON.stringify(state))
    await rename(`${file}.new`, file)
  }

  const live = (ref: Ref): Promise<string | undefined> =>
    readlink(currentOf(ref)).then(
      (target) => target.replace(/^releases\//, ""),
      () => undefined
    )
  const switchTo = async (ref: Ref, id: string): Promise<void> => {
    await rm(`${currentOf(ref)}.new`, { force: true })
    await symlink(join("releases", id), `${currentOf(ref)}.new`)
    await rename(`${currentOf(ref)}.new`, currentOf(ref))
  }
  /** Sets all other releases aside, and forgets the oldest. */
  const keepOnly = async (ref: Ref, release: Release): Promise<void> => {
    await mkdir(join(folderOf(ref), "kept"), { recursive: true })
    for (const id of await readdir(join(folderOf(ref), "releases"))) {
      if (id === release.id) continue
      await rm(keptOf(ref, id), { recursive: true, force: true })
      await rename(releaseOf(ref, id), keptOf(ref, id))
    }
    const kept = [release.id, ...(await read(ref)).kept.filter((id) => id !== release.id)].slice(0, mostKept + 1)
    for (const id of await readdir(join(folderOf(ref), "kept"))) {
      if (!kept.includes(id)) await rm(keptOf(ref, id), { recursive: true, force: true })
    }
    await write(ref, { stable: release, candidate: null, kept })
  }
  /** Whether a release is there, now or again. */
  const bringBack = async (ref: Ref, id: string): Promise<boolean> => {
    if (await isThere(releaseOf(ref, id))) return true
    if (!(await isThere(keptOf(ref, id)))) return false
    await mkdir(join(folderOf(ref), "releases"), { recursive: true })
    await rename(keptOf(ref, id), releaseOf(ref, id))
    return true
  }

  const observe = async (ref: Ref): ReturnType<PlainProvider["observe"]> => {
    const { candidate, changedAt, stable } = await read(ref)
    const current = await live(ref)
    const ids = await readdir(join(folderOf(ref), "releases")).catch(() => [])
    return {
      status: stable === null && candidate === null ? "absent" : "ready",
      stable,
      candidate,
      traffic: current === undefined ? [] : [{ releaseId: current, percent: 100 }],
      health: Object.fromEntries(ids.map((id) => [id, { healthy: 1, total: 1 }])),
      operation: null,
      lastChangedAt: changedAt === 0 ? null : changedAt,
      outputs: { path: currentOf(ref) },
      resources: ids.map((id) => ({ id: releaseOf(ref, id), type: "folder", status: "published" }))
    }
  }

  /** One change at a time. Each first checks whether the lease is still held: files cannot compare fences. */
  let last: Promise<unknown> = Promise.resolve()
  const change = (ref: Ref, { guard }: PlainMutation, work: (state: State) => Promise<void>): Promise<void> => {
    const next = last.then(() =>
      attempt(async () => {
        await guard()
        await work(await read(ref))
      })
    )
    last = next.catch(() => undefined)
    return next
  }

  /** A release is what was planned: if the folder has changed since, it is another one. */
  const publishInto = async (target: string, { artifact = "", digest = "", version }: Release): Promise<void> => {
    await publish(artifact, target)
    const is = await digestOf(target)
    if (is !== digest) {
      throw failure({ _tag: "Changed", message: `${artifact} has changed`, field: "artifact", was: digest, is })
    }
    if (!(await isThere(join(target, "index.html")))) {
      throw failure({ _tag: "Broken", message: `${version} has no index.html` })
    }
  }

  const removeSite = ({ mutation, ref }: MutatingCall): Promise<void> =>
    change(ref, mutation, async () => {
      await rm(currentOf(ref), { force: true })
      for (const folder of ["releases", "kept", "drafts"]) {
        await rm(join(folderOf(ref), folder), { recursive: true, force: true })
      }
      await write(ref, { stable: null, candidate: null, kept: [] })
    })

  return {
    observe: ({ ref }) => attempt(() => observe(ref)),
    destroy: removeSite,

    plan: async ({ candidate: { artifact, version }, ref }) => {
      const { stable } = await read(ref)
      if (artifact === undefined) {
        throw failure({ _tag: "Invalid", message: "a folder to publish is needed", path: [] })
      }
      // The same folder may have other files tomorrow, so that its path does not tell one release from another.
      const digest = await attempt(() => digestOf(artifact))
      const id = createHash("sha256").update(`${version} ${digest}`).digest("hex").slice(0, 12)
      return {
        action: stable === null ? "create" : stable.id === id ? "none" : "update",
        candidate: { id, version, artifact, digest, configDigest: "" },
        checkpoint: { release: stable, takenAt: Date.now(), data: null },
        changes: [`publish ${artifact} as ${version}`],
        rollback: stable === null ? "remove the site" : `switch back to ${stable.version}`,
        warnings: []
      }
    },

    stage: async ({ mutation, plan: { candidate }, ref }) => {
      const { id, version } = candidate
      let ready = false
      await change(ref, mutation, async ({ stable }) => {
        if (stable?.id !== id) await write(ref, { candidate })
        ready = await bringBack(ref, id)
      })
      if (ready) return observe(ref)
      const message = `publishing ${version}`
      await mutation.progress({ id: `${mutation.idempotencyKey}/publishing`, at: Date.now(), message })
      // The long part does not hold up other changes: each attempt works in a folder of its own, so that a rollback need
      // not wait, and a runner that was superseded disturbs no other one.
      await attempt(() => mkdir(join(folderOf(ref), "drafts"), { recursive: true }))
      const draft = await attempt(() => mkdtemp(join(folderOf(ref), "drafts", `${id}-`)))
      try {
        const files = join(draft, "files")
        await attempt(() => publishInto(files, candidate))
        await change(ref, mutation, async (state) => {
          if (state.candidate?.id !== id) {
            throw failure({ _tag: "Conflict", message: "it was called off meanwhile" })
          }
          if (await bringBack(ref, id)) return
          await mkdir(join(folderOf(ref), "releases"), { recursive: true })
          await rename(files, releaseOf(ref, id))
        })
      } finally {
        await rm(draft, { recursive: true, force: true })
      }
      return observe(ref)
    },

    rollback: async (call) => {
      const { checkpoint, mutation, ref } = call
      const { release } = checkpoint
      if (release === null) await removeSite(call)
      else {
        await change(ref, mutation, async () => {
          if (!(await bringBack(ref, release.id))) throw failure({ _tag: "Missing", message: gone(release) })
          await switchTo(ref, release.id)
          await keepOnly(ref, release)
        })
      }
      return observe(ref)
    },

    canGoBack: async ({ checkpoint: { release }, ref }) => {
      if (release === null) return { how: "switch", why: "nothing was there before" }
      const there = (await isThere(releaseOf(ref, release.id))) || (await isThere(keptOf(ref, release.id)))
      return there
        ? { how: "switch", why: `${release.version} is still there` }
        : { how: "impossible", why: gone(release) }
    },

    traffic: {
      shift: async ({ mutation, percent, ref, releaseId }) => {
        await change(ref, mutation, async ({ stable }) => {
          if (percent !== 0 && percent !== 100) {
            throw failure({ _tag: "Unsupported", message: "a site is switched as a whole", capability: "traffic" })
          }
          const target = percent === 100 ? releaseId : stable?.id
          // Nothing was live before this release, so no release gets the traffic.
          if (target === undefined) return rm(currentOf(ref), { force: true })
          if (!(await isThere(releaseOf(ref, target)))) {
            throw failure({ _tag: "Missing", message: `there is no release ${target}` })
          }
          return switchTo(ref, target)
        })
        return observe(ref)
      },
      retire: async ({ capacityPercent, keep, mutation, ref }) => {
        await change(ref, mutation, async ({ candidate, stable }) => {
          const current = await live(ref)
          const kept = [stable, candidate].find((release) => release?.id === keep)
          if (kept === undefined || kept === null || (current !== undefined && current !== keep)) {
            throw failure({ _tag: "Conflict", message: `${current} is live, not ${keep}` })
          }
          if (capacityPercent > 0) return
          await keepOnly(ref, kept)
        })
        return observe(ref)
      }
    }
  }
}
