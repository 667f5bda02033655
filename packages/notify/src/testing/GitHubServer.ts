/**
 * GitHub's API for deployments and their statuses on loopback.
 */
import {
  type HttpReceiver,
  openHttpReceiver,
  type ReceivedCall,
  type ReceiverAnswer,
  type ShownNotification
} from "./HttpReceiver.ts"

/** A deployment, with its statuses in the order of their arrival. */
export interface GitHubDeployment extends ShownNotification {
  readonly number: number
  readonly ref: string
  readonly task: string
  readonly environment: string
  readonly statuses: ReadonlyArray<string>
}

/** GitHub, and the deployments that it shows. */
export interface GitHubServer extends HttpReceiver {
  readonly shown: () => ReadonlyArray<GitHubDeployment>
}

const states = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"]

/**
 * Opens one on a free port.
 *
 * *Details*: it knows one repository, `acme/shop`, and one `token`. Refs need not exist.
 */
export const openGitHubServer = async (token: string): Promise<GitHubServer> => {
  const deployments: Array<GitHubDeployment> = []
  const answer = (status: number, body: object): ReceiverAnswer => ({
    status,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })
  const json = ({ number, ...rest }: GitHubDeployment) => ({ ...rest, id: number })

  const take = ({ body: raw, headers, method, path }: ReceivedCall): ReceiverAnswer => {
    if (headers.authorization !== `Bearer ${token}`) return answer(401, { message: "Bad credentials" })
    if (headers["user-agent"] === undefined)
      return answer(403, { message: "Request forbidden by administrative rules." })
    const { pathname, searchParams } = new URL(path, "http://localhost")
    const under = "/repos/acme/shop/deployments"
    if (!pathname.startsWith(under)) return answer(404, { message: "Not Found" })
    if (method === "GET") {
      const fits = ({ environment, task }: GitHubDeployment) =>
        [null, environment].includes(searchParams.get("environment")) && [null, task].includes(searchParams.get("task"))
      return answer(
        200,
        deployments
          .filter(fits)
          .toReversed()
          .slice(0, Number(searchParams.get("per_page") ?? 30))
          .map(json)
      )
    }
    const body = JSON.parse(raw) as Readonly<Record<string, unknown>>
    if (String(body["description"] ?? "").length > 140) return answer(422, { message: "description is too long" })
    if (pathname === under) {
      if (typeof body["ref"] !== "string") return answer(422, { message: "Validation Failed" })
      const merges = body["auto_merge"] !== false || !Array.isArray(body["required_contexts"])
      if (merges) return answer(409, { message: "Conflict: Commit status checks failed" })
      const number = deployments.length + 1
      deployments.push({
        id: String(number),
        number,
        ref: body["ref"],
        task: String(body["task"] ?? "deploy"),
        environment: String(body["environment"] ?? "production"),
        statuses: [],
        text: `${body["environment"]} ${body["description"]}`,
        raw,
        changes: 0
      })
      return answer(201, json(deployments.at(-1)!))
    }
    const number = Number(/^\/(\d+)\/statuses$/.exec(pathname.slice(under.length))?.[1])
    const index = deployments.findIndex((one) => one.number === number)
    const one = deployments[index]
    if (one === undefined) return answer(404, { message: "Not Found" })
    const state = String(body["state"])
    if (!states.includes(state)) return answer(422, { message: "Validation Failed" })
    deployments[index] = {
      ...one,
      text: state === "inactive" ? one.text : `${one.environment} ${body["description"]}`,
      raw,
      statuses: [...one.statuses, state],
      changes: one.changes + 1
    }
    return answer(201, { id: 1, state })
  }

  const receiver = await openHttpReceiver(take, () => ({
    Gone: answer(404, { message: "Not Found" }),
    Denied: answer(401, { message: "Bad credentials" })
  }))
  return { ...receiver, shown: () => [...deployments] }
}
