/**
 * The changes between two templates, without a call. A module of its own, because the comparison is heavy to load.
 */
import { fullDiff, ResourceImpact } from "@aws-cdk/cloudformation-diff"
import type { PlannedResource } from "@signalbox/core/spi"
import type { TemplateContent } from "./Template.ts"

export const estimate = (before: TemplateContent, after: TemplateContent): ReadonlyArray<PlannedResource> => {
  const { resources } = fullDiff({ ...before }, { ...after })
  return Object.entries(resources.changes).map(([resource, change]): PlannedResource => {
    const impact = change.changeImpact
    const replacement = impact === ResourceImpact.WILL_REPLACE || impact === ResourceImpact.MAY_REPLACE
    return {
      resource,
      type: change.newResourceType ?? change.oldResourceType ?? "",
      action: change.isAddition
        ? "create"
        : change.isRemoval
          ? "delete"
          : impact === ResourceImpact.WILL_REPLACE
            ? "replace"
            : "update",
      replacement
    }
  })
}
