/**
 * Informational answers: 100 and 103 are passed on, others are not.
 */
import type { IncomingMessage, InformationEvent, ServerResponse } from "node:http"

/** How many bytes of informational answers may wait for the client. */
const notesMax = 16 << 10

export const relayInformation = (
  { headers, statusCode }: InformationEvent,
  request: IncomingMessage,
  response: ServerResponse
): void => {
  if (response.headersSent || request.httpVersion === "1.0") return
  // Nothing slows them down if the client does not read them.
  if (response.writableLength > notesMax) return
  try {
    if (statusCode === 100 && request.headers.expect !== undefined) response.writeContinue()
    else if (statusCode === 103) response.writeEarlyHints(headers as Record<string, string>)
  } catch {
    // Hints are optional.
  }
}
