import type { Server } from '@grpc/grpc-js';
import { FILE_DESCRIPTORS } from '../../wire/generated/descriptors.ts';
import { loadOptional } from '../../wire/optional.ts';

/** gRPC's reflection, where the package is installed: tools such as grpcurl learn from it what there is to call. */
export async function addReflection(server: Server, names: readonly string[]): Promise<void> {
  const reflection = await loadOptional('@grpc/reflection', () => import('@grpc/reflection'));
  if (reflection === undefined) return;
  const fileDescriptorProtos = FILE_DESCRIPTORS.map((text) => Buffer.from(text, 'base64'));
  // Of a package definition it reads nothing but the descriptors, which any of its entries may bring.
  const definition = { norimaki: { fileDescriptorProtos } } as unknown as ReflectionInput;
  new reflection.ReflectionService(definition, { services: [...names] }).addToServer(server);
}

type ReflectionInput = ConstructorParameters<typeof import('@grpc/reflection').ReflectionService>[0];
