/**
 * What a folder says about its deployment, read without a parser: commands that only read need not load one.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"

/** The name of the file that names the deployment of a folder, and its store if one was configured. */
export const metadataFile = ".deployment-metadata.yaml"

const value = (text: string, key: string): string | undefined =>
  new RegExp(`^${key}:\\s*["']?(.*?)["']?\\s*$`, "m").exec(text)?.[1] || undefined

/** The deployment and the store of a folder, undefined if it has no such file. */
export const metadataIn = (
  directory: string
): { readonly deploymentId?: string; readonly store?: string } | undefined => {
  try {
    const text = readFileSync(join(directory, metadataFile), "utf8")
    const [deploymentId, store] = [value(text, "deployment_id"), value(text, "store")]
    return {
      ...(deploymentId === undefined ? {} : { deploymentId }),
      ...(store === undefined ? {} : { store })
    }
  } catch {
    return undefined
  }
}
