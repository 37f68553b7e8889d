// What of the page stands in the address.
export const TABS = ['channels', 'routing', 'oncall', 'deliveries'] as const;
export type Tab = (typeof TABS)[number];

export const DELIVERY_STATES = ['waiting', 'sending', 'sent', 'failed', 'skipped'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export type ChannelsSearch = {
  tab?: Exclude<Tab, 'channels'>;
  /** Deliveries of this channel only. */
  channel?: string;
  /** Deliveries in this state only. */
  state?: DeliveryState;
};

export function parseChannels(s: Record<string, unknown>): ChannelsSearch {
  return {
    tab: TABS.find((x): x is Exclude<Tab, 'channels'> => x !== 'channels' && x === s.tab),
    channel: typeof s.channel === 'string' && s.channel !== '' ? s.channel.slice(0, 64) : undefined,
    state: DELIVERY_STATES.find((x) => x === s.state),
  };
}
