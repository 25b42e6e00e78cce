// The part of aws4fetch that is used, with bodies as this package has them.
declare module 'aws4fetch' {
  export class AwsV4Signer {
    constructor(request: {
      readonly method: string;
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken?: string;
      readonly service: 's3';
      readonly region: string;
      /** Derived keys, which change once a day. */
      readonly cache: Map<string, ArrayBuffer>;
    });
    sign(): Promise<{ readonly url: URL; readonly headers: Headers }>;
  }
}
