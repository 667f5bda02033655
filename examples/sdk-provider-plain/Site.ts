/**
 * A release is a folder, and the symbolic link `current`, which a web server follows, decides which one is live.
 */
import type { MutatingCall, PlainMutation, PlainProvider, StackCall } from "@signalbox/core/plugin"
import type { ProviderReason, Release } from "@signalbox/core/spi"
import { createHash } from "node:crypto"
import { access, cp, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"

type Ref = StackCall["ref"]

/** The memory of a stack: its releases, and the newest lease that changed it. */
interface State {
  readonly fence: number
  readonly stable: Release | null
  readonly candidate: Release | null
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

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false
  )

export const make = (
  root: string,
  publish = (from: string, to: string): Promise<void> => cp(from, to, { recursive: true })
): PlainProvider => {
  const folderOf = (ref: Ref) => join(root, `${ref.deploymentId}-${ref.environment}-${ref.stack}`)
  const releaseOf = (ref: Ref, id: string) => join(folderOf(ref), "releases", id)
  const currentOf = (ref: Ref) => join(folderOf(ref), "current")

  const read = async (ref: Ref): Promise<State> => {
    try {
      return JSON.parse(await readFile(join(folderOf(ref), "state.json"), "utf8")) as State
    } catch (error) {
      if ((error as { readonly code?: string }).code !== "ENOENT") throw error
      return { fence: 0, stable: null, candidate: null, changedAt: 0 }
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
  const removeAllBut = async (ref: Ref, keep: string | undefined): Promise<void> => {
    for (const id of await readdir(join(folderOf(ref), "releases")).catch(() => [])) {
      if (id !== keep) await rm(releaseOf(ref, id), { recursive: true, force: true })
    }
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

  /** One change at a time. Each first checks whether the lease is still held, and refuses a superseded runner. */
  let last: Promise<unknown> = Promise.resolve()
  const change = (ref: Ref, { fence, guard }: PlainMutation, work: (state: State) => Promise<void>): Promise<void> => {
    const next = last.then(() =>
      attempt(async () => {
        const state = await read(ref)
        if (fence < state.fence) {
          throw failure({ _tag: "Fenced", message: `lease ${state.fence} has been here`, fence: state.fence })
        }
        await guard()
        if (fence > state.fence) await write(ref, { fence })
        await work(state)
      })
    )
    last = next.catch(() => undefined)
    return next
  }

  const publishInto = async ({ artifact = "", version }: Release, target: string): Promise<void> => {
    await access(artifact)
    await rm(target, { recursive: true, force: true })
    await publish(artifact, target)
    if (await isThere(join(target, "index.html"))) return
    await rm(target, { recursive: true, force: true })
    throw failure({ _tag: "Broken", message: `${version} has no index.html` })
  }

  const removeSite = ({ mutation, ref }: MutatingCall): Promise<void> =>
    change(ref, mutation, async () => {
      await rm(currentOf(ref), { force: true })
      await removeAllBut(ref, undefined)
      await write(ref, { stable: null, candidate: null })
    })

  return {
    observe: ({ ref }) => attempt(() => observe(ref)),
    destroy: removeSite,

    plan: async ({ candidate: { artifact, version }, ref }) => {
      const { stable } = await read(ref)
      if (artifact === undefined) {
        throw failure({ _tag: "Invalid", message: "a folder to publish is needed", path: [] })
      }
      const id = createHash("sha256").update(`${version} ${artifact}`).digest("hex").slice(0, 12)
      return {
        action: stable === null ? "create" : stable.id === id ? "none" : "update",
        candidate: { id, version, artifact, configDigest: "" },
        checkpoint: { release: stable, takenAt: Date.now(), data: null },
        changes: [`publish ${artifact} as ${version}`],
        rollback: stable === null ? "remove the site" : `switch back to ${stable.version}`,
        warnings: []
      }
    },

    stage: async ({ mutation, plan: { candidate }, ref }) => {
      await change(ref, mutation, async ({ stable }) => {
        if (stable?.id !== candidate.id) await write(ref, { candidate })
      })
      if (await isThere(releaseOf(ref, candidate.id))) return observe(ref)
      // The long part does not hold up other changes: it works in a folder of its own, so that a rollback need not wait.
      const draft = join(folderOf(ref), "drafts", candidate.id)
      const message = `publishing ${candidate.version}`
      await mutation.progress({ id: `${mutation.idempotencyKey}/publishing`, at: Date.now(), message })
      await attempt(() => publishInto(candidate, draft))
      await change(ref, mutation, async (state) => {
        if (state.candidate?.id !== candidate.id) {
          throw failure({ _tag: "Conflict", message: "it was called off meanwhile" })
        }
        await mkdir(join(folderOf(ref), "releases"), { recursive: true })
        await rename(draft, releaseOf(ref, candidate.id))
      })
      return observe(ref)
    },

    rollback: async (call) => {
      const { checkpoint, mutation, ref } = call
      const { release } = checkpoint
      if (release === null) await removeSite(call)
      else {
        await change(ref, mutation, async () => {
          const target = releaseOf(ref, release.id)
          if (!(await isThere(target))) await publishInto(release, target)
          await switchTo(ref, release.id)
          await removeAllBut(ref, release.id)
          await write(ref, { stable: release, candidate: null })
        })
      }
      return observe(ref)
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
          await removeAllBut(ref, keep)
          await write(ref, { stable: kept, candidate: null })
        })
        return observe(ref)
      }
    }
  }
}
