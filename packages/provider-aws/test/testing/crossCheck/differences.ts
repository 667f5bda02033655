const notChecked = "AWS documents an error for it; moto does not check"

/** Why the simulator answers otherwise than moto, by step. */
export const reasons: Readonly<Record<string, string>> = {
  "create a target group a second time, with the same settings":
    "AWS documents that all operations of Elastic Load Balancing may be repeated",
  "set an attribute that does not exist": notChecked,
  "read a listener that forwards to one group": "AWS shows the forward configuration of a single group too",
  "a weight of 1000": notChecked,
  "a weight of -1": notChecked,
  "a group twice in one action": notChecked,
  "a group that does not exist": notChecked,
  "stickiness without a duration": notChecked,
  "stickiness of 604801 seconds": notChecked,
  "two actions that both end": notChecked,
  "no action that ends": notChecked,
  "authentication in a listener without encryption": notChecked,
  "create a second listener on the port": notChecked,
  "create a rule of priority 0": notChecked,
  "modify the default rule as a rule": "AWS changes the default rule by ModifyListener only",
  "delete the default rule": "moto does not have it",
  "tags of a rule that does not exist": notChecked,
  "a version that takes over another one": "AWS begins with the data of the source version",
  "a version twice, with the same token": "AWS repeats its answer to a token; moto ignores tokens",
  "versions, newest first": "AWS documents no order, so an adapter must not rely on one",
  "a launch template that does not exist": notChecked,
  "create a group of a name that is taken": notChecked,
  "create a group with a minimum over the maximum": notChecked,
  "register an instance that does not exist": notChecked,
  "the health of a target that is deregistered": "AWS drains it first; in moto it is gone at once",
  "begin an instance refresh": "moto has no instance refreshes",
  "delete a group that has instances": notChecked,
  "delete the default version": "moto does not have it"
}
