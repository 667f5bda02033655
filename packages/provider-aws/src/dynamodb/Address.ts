/**
 * Where a table is: `dynamodb://<table>?region=<region>&endpoint=<url>`.
 */
import { StoreFailure } from "./StoreFailure.ts"

/** The address of a table. The environment of the process gives the region and the endpoint that it leaves out. */
export interface Address {
  readonly table: string
  readonly region?: string
  readonly endpoint?: string
}

const form = "dynamodb://<table>?region=<region>"

const malformed = (why: string): StoreFailure =>
  new StoreFailure("Misconfigured", `the address of the store is not of the form ${form}: ${why}`)

/**
 * Reads the URL of a store.
 *
 * *Errors*: `Misconfigured`. The text of the URL is not repeated, since it may hold a password by mistake.
 */
export const parseAddress = (url: string): Address => {
  const [, table, query] = /^dynamodb:\/\/([^/?#]*)\/?(?:\?([^#]*))?$/i.exec(url) ?? []
  if (table === undefined) throw malformed("it has a path or a fragment")
  if (table.includes("@")) throw malformed("it holds a user; credentials come from the environment")
  if (!/^[\w.-]{3,255}$/.test(table)) {
    throw malformed("the name of a table has 3 to 255 letters, digits, underscores, hyphens and dots")
  }
  const parameters = new URLSearchParams(query)
  for (const name of parameters.keys()) {
    if (name !== "region" && name !== "endpoint") throw malformed(`it has no parameter ${JSON.stringify(name)}`)
    if (parameters.getAll(name).length > 1) throw malformed(`${name} is given twice`)
  }
  const region = parameters.get("region") ?? undefined
  if (region !== undefined && !/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(region)) throw malformed(`${region} is no region`)
  const endpoint = parameters.get("endpoint") ?? undefined
  if (endpoint !== undefined && !/^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : "")) {
    throw malformed("its endpoint is no http or https URL")
  }
  return { table, ...(region === undefined ? {} : { region }), ...(endpoint === undefined ? {} : { endpoint }) }
}
