/** The order of requests before a lease. */
export { queuePosition, requestsAhead } from "./QueuePosition.ts"
