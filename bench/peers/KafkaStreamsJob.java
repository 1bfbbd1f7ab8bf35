import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.generic.*;
import org.apache.avro.io.*;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The peers' job in Kafka Streams, exactly once: BOOTSTRAP APPLICATION SOURCE ACCEPTED REJECTED FOLDER. */
public final class KafkaStreamsJob {
    static final Map<String, String> NEXT =
        Map.of("", "booked", "booked", "held", "held", "furlough", "furlough", "released", "released", "booked");
    static final int LAST = 16;
    static final Schema KNOWN = SchemaBuilder.record("Known").fields()
        .requiredString("status").name("ids").type().array().items().stringType().noDefault().endRecord();

    public static void main(String[] given) throws IOException {
        Schema change = new Schema.Parser().parse(Path.of(given[5], "Change.avsc").toFile());
        Schema decided = new Schema.Parser().parse(Path.of(given[5], "DecidedChange.avsc").toFile());
        Topology topology = new Topology()
            .addSource("changes", Serdes.String().deserializer(), serde(change).deserializer(), given[2])
            .addProcessor("judge", () -> new Judge(decided), "changes")
            .addStateStore(Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("known"), Serdes.String(), serde(KNOWN)), "judge")
            .addSink("accepted", given[3], Serdes.String().serializer(), serde(decided).serializer(), "judge")
            .addSink("rejected", given[4], Serdes.String().serializer(), serde(decided).serializer(), "judge");
        Properties settings = new Properties();
        settings.putAll(Map.of("bootstrap.servers", given[0], "application.id", given[1], "processing.guarantee", "exactly_once_v2",
            "replication.factor", 1, "state.dir", given[5], "auto.offset.reset", "earliest"));
        KafkaStreams streams = new KafkaStreams(topology, settings);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    static final class Judge implements Processor<String, GenericRecord, String, GenericRecord> {
        private final Schema decided;
        private ProcessorContext<String, GenericRecord> context;
        private KeyValueStore<String, GenericRecord> store;

        Judge(Schema decided) { this.decided = decided; }

        @Override public void init(ProcessorContext<String, GenericRecord> context) {
            this.context = context;
            store = context.getStateStore("known");
        }

        @Override public void process(Record<String, GenericRecord> record) {
            GenericRecord change = record.value(), known = store.get(record.key());
            String status = known == null ? "" : known.get("status").toString(), id = change.get("event_id").toString();
            List<String> ids = new ArrayList<>();
            if (known != null) ((List<?>) known.get("ids")).forEach(each -> ids.add(each.toString()));
            if (ids.contains(id)) return;
            String decision = NEXT.get(status).equals(change.get("status").toString()) ? "accepted" : "rejected";
            ids.add(id);
            GenericRecord after = new GenericData.Record(KNOWN);
            after.put("status", decision.equals("accepted") ? change.get("status") : status);
            after.put("ids", ids.subList(Math.max(0, ids.size() - LAST), ids.size()));
            store.put(record.key(), after);
            GenericRecord written = new GenericData.Record(decided);
            change.getSchema().getFields().forEach(field -> written.put(field.name(), change.get(field.name())));
            written.put("decision", decision);
            context.forward(record.withValue(written), decision);
        }
    }

    static Serde<GenericRecord> serde(Schema schema) {
        GenericDatumReader<GenericRecord> reader = new GenericDatumReader<>(schema);
        GenericDatumWriter<GenericRecord> writer = new GenericDatumWriter<>(schema);
        return Serdes.serdeFrom((topic, value) -> {
            if (value == null) return null;
            ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
            BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
            try { writer.write(value, encoder); } catch (IOException failed) { throw new UncheckedIOException(failed); }
            return bytes.toByteArray();
        }, (topic, raw) -> {
            if (raw == null) return null;
            try { return reader.read(null, DecoderFactory.get().binaryDecoder(raw, null)); }
            catch (IOException failed) { throw new UncheckedIOException(failed); }
        });
    }
}
