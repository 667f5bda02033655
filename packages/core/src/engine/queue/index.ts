/** The order of requests before a lease. */
export { isWaiting, queuePosition, requestsAhead } from "./QueuePosition.ts"
