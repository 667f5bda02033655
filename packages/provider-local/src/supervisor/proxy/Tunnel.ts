/**
 * Two connections that are handed over to each other.
 */
import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import { ignore } from "./Connection.ts"
import { answerHead, cleanPhrase } from "./Headers.ts"

/** The head that tells the client of the WebSocket. */
export const switchingHead = (answer: IncomingMessage, request: IncomingMessage): string => {
  const pairs = answerHead(answer, request) ?? []
  let head = `HTTP/1.1 101 ${cleanPhrase(answer.statusMessage)}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
  for (let index = 0; index < pairs.length; index += 2) head += `${pairs[index]}: ${pairs[index + 1]}\r\n`
  return `${head}\r\n`
}

export const tunnel = (client: Socket, instance: Socket, head: string): void => {
  client.write(head, "latin1")
  join(instance, client)
  join(client, instance)
}

/** Passes on what one of them says; where it ends, so does the other, after what was written to it. */
const join = (from: Socket, to: Socket): void => {
  from.on("error", ignore)
  from.setTimeout(0)
  from.setNoDelay(true)
  from.setKeepAlive(true, 0)
  from.once("close", () => to.destroySoon())
  from.pipe(to)
}
