/**
 * Two connections that are connected to each other.
 */
import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import { ignore } from "./Connection.ts"
import { answerHead, cleanPhrase } from "./Headers.ts"

/** The head that announces the WebSocket to the client. */
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

/** Forwards one side's data; when it ends, the other ends too, after its pending writes. */
const join = (from: Socket, to: Socket): void => {
  from.on("error", ignore)
  from.setTimeout(0)
  from.setNoDelay(true)
  from.setKeepAlive(true, 0)
  from.once("close", () => to.destroySoon())
  from.pipe(to)
}
