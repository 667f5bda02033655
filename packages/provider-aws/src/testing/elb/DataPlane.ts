/**
 * The data plane of a listener: a server on the loopback interface that does with requests what the rules say.
 */
import { Agent, createServer, type IncomingMessage, request as open, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Action } from "@aws-sdk/client-elastic-load-balancing-v2"
import type { SimulatedClock } from "../SimulatedClock.ts"
import { groupsOf } from "./Actions.ts"
import type { Listener } from "./Listener.ts"
import type { TargetGroup } from "./TargetGroup.ts"
import type { Traffic } from "./Traffic.ts"

/** What the data plane sees of its surroundings. */
export interface Behind {
  readonly clock: SimulatedClock
  readonly traffic: Traffic
  readonly group: (arn: string) => TargetGroup | undefined
  readonly portOf: (instance: string) => number | undefined
  /** How long a target may be silent. */
  readonly idleMillis: number
}

const agent = new Agent({ keepAlive: true })

/** The cookie that keeps a client at a group, and the one that keeps it at a target. */
const groupCookie = "AWSALBTG"
const targetCookie = "AWSALB"
const sessionCookie = "AWSELBAuthSessionCookie-0"

const cookiesOf = ({ headers }: IncomingMessage): ReadonlyMap<string, string> =>
  new Map(
    (headers.cookie ?? "").split(/; */).map((pair): [string, string] => {
      const at = pair.indexOf("=")
      return [pair.slice(0, at), pair.slice(at + 1)]
    })
  )

/** The value and the end of a cookie, as only the load balancer reads it. */
const sealed = (value: string, until: number): string =>
  Buffer.from(JSON.stringify([value, until])).toString("base64url")

const opened = (cookie: string | undefined, now: number): string | undefined => {
  if (cookie === undefined) return undefined
  try {
    const [value, until] = JSON.parse(Buffer.from(cookie, "base64url").toString()) as [string, number]
    return until > now ? value : undefined
  } catch {
    return undefined
  }
}

export class DataPlane {
  readonly #listener: Listener
  readonly #balancer: string
  readonly #behind: Behind
  readonly #server: Server

  /** `balancer` is the ARN of the load balancer. */
  constructor(listener: Listener, balancer: string, behind: Behind) {
    this.#listener = listener
    this.#balancer = balancer
    this.#behind = behind
    // A connection that ends while it is idle would drop the request that is sent at that moment.
    this.#server = createServer({ keepAliveTimeout: 0 }, (request, response) => this.#answer(request, response))
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve))
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { actions, choose } = this.#listener.route(request)
    const cookies = cookiesOf(request)
    for (const action of actions) {
      switch (action.Type) {
        case "authenticate-oidc":
        case "authenticate-cognito":
          if (cookies.has(sessionCookie)) break
          return authenticate(action, response)
        case "redirect":
          return redirect(action, request, response)
        case "fixed-response": {
          const { ContentType, MessageBody, StatusCode } = action.FixedResponseConfig!
          const headers = { "content-type": ContentType ?? "text/plain" }
          return void response.writeHead(Number(StatusCode), headers).end(MessageBody ?? "")
        }
        case "forward":
          return this.#forward(action, choose, cookies, request, response)
      }
    }
  }

  #forward(
    action: Action,
    choose: ReturnType<Listener["route"]>["choose"],
    cookies: ReadonlyMap<string, string>,
    request: IncomingMessage,
    response: ServerResponse
  ): void {
    const { clock, group: groupOf, idleMillis, portOf, traffic } = this.#behind
    const groups = groupsOf([action])
    const { DurationSeconds = 0, Enabled } = action.ForwardConfig?.TargetGroupStickinessConfig ?? {}
    const kept = Enabled === true ? opened(cookies.get(groupCookie), clock.now()) : undefined
    const sticky = groups.some(({ TargetGroupArn }) => TargetGroupArn === kept) ? kept : undefined
    // A client that is kept at a group stays there, even if the group has no weight and no targets any more.
    const arn = sticky ?? choose(groups)
    const group = arn === undefined ? undefined : groupOf(arn)
    const keepsTargets = group?.attributes.get("stickiness.enabled") === "true"
    const target = group?.next(keepsTargets ? opened(cookies.get(targetCookie), clock.now()) : undefined)
    const set: Array<string> = []
    const keep = (name: string, value: string, seconds: number) => {
      const until = clock.now() + seconds * 1000
      set.push(`${name}=${sealed(value, until)}; Expires=${new Date(until).toUTCString()}; Path=/`)
    }
    if (Enabled === true && sticky === undefined && arn !== undefined) keep(groupCookie, arn, DurationSeconds)
    if (target === undefined) {
      traffic.unavailable(this.#balancer, group)
      return void response.writeHead(503, cookiesIn(set)).end("503 Service Temporarily Unavailable")
    }
    if (keepsTargets) {
      keep(targetCookie, target.id, Number(group!.attributes.get("stickiness.lb_cookie.duration_seconds")))
    }
    response.once("close", target.begin())
    const port = portOf(target.id)
    const began = performance.now()
    const count = (status: number, own: boolean) =>
      traffic.answered(this.#balancer, group!, { status, own, millis: performance.now() - began })
    if (port === undefined) {
      traffic.taken()
      count(502, false)
      return void response.writeHead(502, cookiesIn(set)).end("502 Bad Gateway")
    }
    const headers = { ...request.headers, "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http" }
    const own = (status: 502 | 504, body: string) => {
      // A client that has gone gets no answer, and none is counted.
      if (response.destroyed || response.writableEnded) return
      if (response.headersSent) return void response.destroy()
      count(status, false)
      response.writeHead(status, cookiesIn(set)).end(body)
    }
    const hasBody = request.method !== "GET" && request.method !== "HEAD"
    const send = (again: boolean) => {
      const forwarded = open({ agent, port, host: "127.0.0.1", method: request.method, path: request.url, headers })
      forwarded.setTimeout(idleMillis, () => {
        own(504, "504 Gateway Time-out")
        forwarded.destroy()
      })
      forwarded.once("response", (answer) => {
        count(answer.statusCode!, true)
        response.writeHead(answer.statusCode!, { ...answer.headers, ...cookiesIn(set, answer.headers["set-cookie"]) })
        answer.pipe(response)
        answer.once("error", () => response.destroy())
      })
      forwarded.once("error", () => {
        // The target may have closed an idle connection at this moment; a second try is safe, since it has read nothing.
        if (again && forwarded.reusedSocket && !hasBody && !response.headersSent) send(false)
        else own(502, "502 Bad Gateway")
      })
      response.once("close", () => {
        if (!response.writableFinished) forwarded.destroy()
      })
      if (hasBody) request.pipe(forwarded)
      else forwarded.end()
    }
    if (!hasBody) request.resume()
    send(true)
  }
}

const cookiesIn = (own: ReadonlyArray<string>, others: ReadonlyArray<string> = []): { "set-cookie"?: Array<string> } =>
  own.length + others.length === 0 ? {} : { "set-cookie": [...others, ...own] }

const authenticate = (action: Action, response: ServerResponse): void => {
  const { AuthenticateCognitoConfig: cognito, AuthenticateOidcConfig: oidc } = action
  const what = oidc?.OnUnauthenticatedRequest ?? cognito?.OnUnauthenticatedRequest ?? "authenticate"
  const location = oidc?.AuthorizationEndpoint ?? `https://${cognito?.UserPoolDomain}/oauth2/authorize`
  if (what === "deny") response.writeHead(401).end()
  else response.writeHead(302, { location }).end()
}

const redirect = (action: Action, request: IncomingMessage, response: ServerResponse): void => {
  const url = new URL(request.url!, `http://${request.headers.host ?? "localhost"}`)
  const config = action.RedirectConfig!
  const place = (template: string) =>
    template
      .replaceAll("#{protocol}", "http")
      .replaceAll("#{host}", url.hostname)
      .replaceAll("#{port}", url.port)
      .replaceAll("#{path}", url.pathname.slice(1))
      .replaceAll("#{query}", url.search.slice(1))
  const { Host = "#{host}", Path = "/#{path}", Port = "#{port}", Protocol = "#{protocol}", Query = "#{query}" } = config
  const query = place(Query)
  const location = `${place(Protocol).toLowerCase()}://${place(Host)}:${place(Port)}${place(Path)}${query === "" ? "" : `?${query}`}`
  response.writeHead(config.StatusCode === "HTTP_301" ? 301 : 302, { location }).end()
}
