/**
 * The channel `github`: a deployment of the repository for each execution, and its statuses.
 */
import { type ChannelContext, NotifyFailure, type PlainNotifier } from "@signalbox/core/plugin"
import { makeAddressGuard } from "../http/index.ts"
import { callGitHub } from "./GitHubApi.ts"
import { type GitHubStatus, gitHubStatus } from "./gitHubStatus.ts"
import { gitHubOptions } from "./GitHubOptions.ts"

const idOf = (value: unknown): number | undefined => {
  const { id } = (typeof value === "object" && value !== null ? value : {}) as { readonly id?: unknown }
  return typeof id === "number" ? id : undefined
}

const noRef = {
  _tag: "Invalid",
  message: "the execution does not say which commit it deploys",
  path: ["ref"],
  hint: 'Deploy with --commit, or set "ref" of the channel.'
} as const

/**
 * Opens a channel.
 *
 * *Details*: a deployment is found by its `task`, which contains the correlation ID, so that no repeat and no other process makes
 * a second one.
 */
export const open = ({ options, secret }: ChannelContext): PlainNotifier => {
  const { allow, endpoint = "https://api.github.com", ref, repository, token } = gitHubOptions.read(options)
  const api = {
    endpoint: endpoint.replace(/\/$/, ""),
    repository,
    token: secret(token),
    guard: makeAddressGuard(allow, undefined, endpoint.startsWith("http:"))
  }
  return {
    capabilities: {
      update: true,
      thread: false,
      acknowledge: false,
      dedupe: "update",
      limits: { bytes: 6_000, perMinute: 60 }
    },
    render: gitHubStatus,
    send: async ({ delivery, rendered, signal }) => {
      const { at, earlier, id } = delivery
      if ("nothing" in (rendered as object)) return { ...earlier }
      const status = rendered as unknown as GitHubStatus
      const { environment } = status
      const ask = (method: "GET" | "POST", path: string, body?: object) =>
        callGitHub(api, method, path, body, { now: at, signal })
      const listed = async (query: Readonly<Record<string, string>>) => {
        const found = await ask("GET", `/deployments?${new URLSearchParams({ environment, ...query })}`)
        return Array.isArray(found) ? (found as ReadonlyArray<unknown>) : []
      }
      const begin = async () => {
        const [there] = await listed({ task: status.task, per_page: "1" })
        if (there !== undefined) return idOf(there)
        const deployed = status.commit ?? ref
        if (deployed === undefined) throw new NotifyFailure(noRef)
        return idOf(
          await ask("POST", "/deployments", {
            ref: deployed,
            task: status.task,
            environment,
            description: status.description,
            // What may be deployed is decided by Signalbox, which has already begun.
            auto_merge: false,
            required_contexts: [],
            production_environment: status.isProduction
          })
        )
      }
      const known = earlier?.["deployment"]
      const deployment = typeof known === "number" ? known : await begin()
      if (deployment === undefined) throw new NotifyFailure({ _tag: "Unknown", message: "GitHub names no deployment" })
      if (earlier?.["last"] === id) return { deployment, last: id }
      await ask("POST", `/deployments/${deployment}/statuses`, {
        state: status.state,
        description: status.description,
        // GitHub does it by itself except in production, and there it would be missing.
        auto_inactive: !status.isProduction,
        ...(status.logUrl === undefined ? {} : { log_url: status.logUrl }),
        ...(status.environmentUrl === undefined ? {} : { environment_url: status.environmentUrl })
      })
      if (status.state === "success" && status.isProduction) {
        const before = (await listed({ per_page: "5" }))
          .map(idOf)
          .find((other) => other !== undefined && other < deployment)
        if (before !== undefined) await ask("POST", `/deployments/${before}/statuses`, { state: "inactive" })
      }
      return { deployment, last: id }
    }
  }
}
