/** An endpoint of a chain that was set by the owner of the service, beside those of its configuration. */
export type RpcEndpointSetting = {
  readonly id: string;
  /** Its slug. */
  readonly chain: string;
  /** May hold a key: to be shown masked only. */
  readonly url: string;
  readonly createdAt: Date;
};
