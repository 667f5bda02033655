/**
 * Asks an instance whether it is ready, and reports its answer.
 */
import { type ClientRequest, get, type IncomingMessage } from "node:http"

const probeTimeout = 2000
/** How long to wait for the beginning of an unsuccessful answer. */
const bodyTimeout = 200
const bodyMax = 200

export type LoopbackHost = "127.0.0.1" | "::1"

/** The result of one request. */
export interface Answer {
  readonly well: boolean
  /** The finding, as a sentence. */
  readonly seen: string
  /**
   * Why it is not healthy: it answered with another status, it did not answer, nothing listens there, or it broke off.
   */
  readonly why: "status" | "silent" | "refused" | "broken" | "well"
  /** Where it accepted the connection. */
  readonly host?: LoopbackHost
}

export interface Probe {
  /** What is known so far; an answer may still come. */
  readonly sofar: () => Answer
  readonly cancel: () => void
}

/** Nothing listens there, or this machine has no such address. */
const unreachable = new Set(["ECONNREFUSED", "EADDRNOTAVAIL", "EAFNOSUPPORT", "ENETUNREACH", "EHOSTUNREACH"])

/** The first line of a text, without anything that would disturb its surrounding line. */
const firstLine = (text: string): string =>
  text
    .trim()
    .split("\n", 1)[0]!
    // oxlint-disable-next-line no-control-regex
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ")
    .slice(0, bodyMax)

const saysText = ({ headers }: IncomingMessage): boolean =>
  /^(text\/plain|application\/(problem\+)?json)/.test(headers["content-type"] ?? "text/plain")

/**
 * Requests `GET path` once, at each of the hosts until one accepts the connection. An application that listens on
 * `localhost` may be on either family.
 */
export const probe = (
  { hosts, path, port }: { readonly port: number; readonly path: string; readonly hosts: ReadonlyArray<LoopbackHost> },
  done: (answer: Answer) => void
): Probe => {
  const silent = (host?: LoopbackHost): Answer => ({
    well: false,
    seen: `GET ${path} was not answered`,
    why: "silent",
    ...(host === undefined ? {} : { host })
  })
  let sofar = silent()
  let request: ClientRequest | undefined
  let over = false
  const end = (answer: Answer) => {
    if (over) return
    over = true
    clearTimeout(deadline)
    request?.destroy()
    done(answer)
  }
  const ask = (index: number): void => {
    const host = hosts[index]!
    const asked = get(
      { host, port, path, agent: false, headers: { "user-agent": "signalbox-readiness" } },
      (response) => {
        const status = response.statusCode!
        const seen = `GET ${path} answered ${status}`
        if (status >= 200 && status < 400) {
          response.resume()
          return end({ well: true, seen, why: "well", host })
        }
        let body = ""
        const told = () => {
          clearTimeout(patience)
          const said = saysText(response) ? firstLine(body) : ""
          end({ well: false, seen: `${seen}${said === "" ? "" : ` "${said}"`}`, why: "status", host })
        }
        const patience = setTimeout(told, bodyTimeout)
        response.setEncoding("utf8")
        response.on("data", (chunk: string) => {
          body += chunk
          if (body.length >= bodyMax) told()
        })
        response.once("close", told)
        response.on("error", told)
      }
    )
    request = asked
    asked.once("socket", (socket) => socket.once("connect", () => (sofar = silent(host))))
    asked.once("error", (error: NodeJS.ErrnoException) => {
      const code = error.code ?? error.message
      if (!unreachable.has(code)) return end({ well: false, seen: `GET ${path} failed: ${code}`, why: "broken", host })
      if (index + 1 < hosts.length && !over) return ask(index + 1)
      end({ well: false, seen: `nothing accepts connections on port ${port}`, why: "refused" })
    })
  }
  const deadline = setTimeout(() => end(sofar), probeTimeout)
  ask(0)
  return {
    sofar: () => sofar,
    cancel: () => {
      over = true
      clearTimeout(deadline)
      request?.destroy()
    }
  }
}
