import com.unboundid.ldap.listener.Base64PasswordEncoderOutputFormatter;
import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import com.unboundid.ldap.listener.InMemoryListenerConfig;
import com.unboundid.ldap.listener.InMemoryPasswordEncoder;
import com.unboundid.ldap.listener.SaltedMessageDigestInMemoryPasswordEncoder;
import com.unboundid.ldap.listener.interceptor.InMemoryInterceptedAddResult;
import com.unboundid.ldap.listener.interceptor.InMemoryInterceptedDeleteResult;
import com.unboundid.ldap.listener.interceptor.InMemoryInterceptedModifyDNResult;
import com.unboundid.ldap.listener.interceptor.InMemoryInterceptedModifyResult;
import com.unboundid.ldap.listener.interceptor.InMemoryOperationInterceptor;
import com.unboundid.ldap.sdk.DN;
import com.unboundid.ldap.sdk.Entry;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.LDAPResult;
import com.unboundid.ldap.sdk.Modification;
import com.unboundid.ldap.sdk.OperationType;
import com.unboundid.ldap.sdk.ResultCode;
import com.unboundid.ldap.sdk.schema.Schema;
import com.unboundid.ldif.LDIFAddChangeRecord;
import com.unboundid.ldif.LDIFChangeRecord;
import com.unboundid.ldif.LDIFDeleteChangeRecord;
import com.unboundid.ldif.LDIFModifyChangeRecord;
import com.unboundid.ldif.LDIFReader;
import com.unboundid.ldif.LDIFWriter;
import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;

/**
 * The embedded directory: UnboundID's in-memory server, listening on loopback alone (its own command line tool listens
 * on every interface), with its entries kept in an LDIF file. One argument: a properties file, because it holds the
 * password. A change is answered when it stands in a file of changes beside the entries, so that kill -9 loses nothing
 * that was answered; the file of entries is replaced as a whole when there was a pause, and at the end.
 */
public class LoopbackDirectory {

    private static final long EVERY_MILLISECONDS = 300;
    private static final long MOST_BYTES_OF_CHANGES = 1000000;

    public static void main(String[] arguments) throws Exception {
        Properties given = new Properties();
        InputStream file = new FileInputStream(arguments[0]);
        given.load(file);
        file.close();
        final Keeper keeper = new Keeper(given.getProperty("entries"));
        InMemoryDirectoryServerConfig settings = settings(given);
        settings.addInMemoryOperationInterceptor(keeper);
        final InMemoryDirectoryServer server = new InMemoryDirectoryServer(settings);
        keeper.load(server);
        server.startListening();
        System.out.println("listening on port " + server.getListenPort());
        Runtime.getRuntime().addShutdownHook(new Thread() {
            public void run() {
                server.shutDown(true);
                keeper.keep();
            }
        });
        long before = 0;
        while (true) {
            Thread.sleep(EVERY_MILLISECONDS);
            long now = keeper.length();
            if (now > 0 && (now == before || now > MOST_BYTES_OF_CHANGES)) {
                keeper.keep();
                now = 0;
            }
            before = now;
        }
    }

    private static InMemoryDirectoryServerConfig settings(Properties given) throws Exception {
        String base = given.getProperty("baseDN");
        InMemoryDirectoryServerConfig settings = new InMemoryDirectoryServerConfig(new String[] {base});
        InetAddress loopback = InetAddress.getByName("127.0.0.1");
        int port = Integer.parseInt(given.getProperty("port"));
        settings.setListenerConfigs(new InMemoryListenerConfig[] {
            new InMemoryListenerConfig("loopback", loopback, port, null, null, null)
        });
        settings.addAdditionalBindCredentials(given.getProperty("bindDN"), given.getProperty("password"));
        settings.setSchema(Schema.mergeSchemas(new Schema[] {
            Schema.getDefaultStandardSchema(), Schema.getSchema(new String[] {given.getProperty("schema")})
        }));
        settings.setEqualityIndexAttributes(given.getProperty("indexed").split(","));
        settings.setPasswordEncoders(
            new SaltedMessageDigestInMemoryPasswordEncoder(
                "{SSHA256}", Base64PasswordEncoderOutputFormatter.getInstance(), MessageDigest.getInstance("SHA-256"), 8,
                true, true),
            new InMemoryPasswordEncoder[0]);
        settings.setAuthenticationRequiredOperationTypes(new OperationType[] {
            OperationType.ADD, OperationType.COMPARE, OperationType.DELETE, OperationType.MODIFY,
            OperationType.MODIFY_DN, OperationType.SEARCH
        });
        return settings;
    }

    /**
     * The entries in a file, and what has changed since in another: whole entries and modifications, each ended by a
     * line. A change may stand in both: what is said again changes nothing.
     */
    private static class Keeper extends InMemoryOperationInterceptor {

        private static final String END = "# end\n\n";

        private final Path entries;
        private final Path changes;
        private InMemoryDirectoryServer server;
        private FileOutputStream out;
        private long written;

        Keeper(String file) {
            entries = Paths.get(file, new String[0]);
            changes = Paths.get(file + ".changes", new String[0]);
        }

        /** Put both files together, and the entries into the server. */
        synchronized void load(InMemoryDirectoryServer into) throws Exception {
            server = into;
            if (Files.exists(changes, new java.nio.file.LinkOption[0])) {
                Path making = Paths.get(entries + ".new", new String[0]);
                LDIFWriter writer = new LDIFWriter(making.toFile());
                for (Iterator all = merged().values().iterator(); all.hasNext();) {
                    writer.writeEntry((Entry) all.next());
                }
                writer.close();
                Files.move(making, entries, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            }
            server.importFromLDIF(true, entries.toString());
            out = new FileOutputStream(changes.toFile(), false);
        }

        private Map merged() throws Exception {
            Map found = new LinkedHashMap();
            LDIFReader reader = new LDIFReader(entries.toFile());
            for (Entry entry = reader.readEntry(); entry != null; entry = reader.readEntry()) {
                found.put(DN.normalize(entry.getDN()), entry);
            }
            reader.close();
            String text = new String(Files.readAllBytes(changes), "UTF-8");
            int complete = text.lastIndexOf(END);
            byte[] whole = (complete < 0 ? "" : text.substring(0, complete)).getBytes("UTF-8");
            LDIFReader later = new LDIFReader(new ByteArrayInputStream(whole));
            for (LDIFChangeRecord one = later.readChangeRecord(); one != null; one = later.readChangeRecord()) {
                String dn = DN.normalize(one.getDN());
                if (one instanceof LDIFAddChangeRecord) {
                    found.put(dn, ((LDIFAddChangeRecord) one).getEntryToAdd());
                } else if (one instanceof LDIFDeleteChangeRecord) {
                    found.remove(dn);
                } else if (found.containsKey(dn)) {
                    Modification[] how = ((LDIFModifyChangeRecord) one).getModifications();
                    found.put(dn, Entry.applyModifications((Entry) found.get(dn), true, how));
                }
            }
            later.close();
            return found;
        }

        public void processAddResult(InMemoryInterceptedAddResult done) {
            if (done.getResult().getResultCode() == ResultCode.SUCCESS) {
                noteEntry(done.getRequest().getDN());
            }
        }

        public void processDeleteResult(InMemoryInterceptedDeleteResult done) {
            if (done.getResult().getResultCode() == ResultCode.SUCCESS) {
                noteEntry(done.getRequest().getDN());
            }
        }

        public void processModifyResult(InMemoryInterceptedModifyResult done) {
            if (done.getResult().getResultCode() != ResultCode.SUCCESS) {
                return;
            }
            Modification[] how =
                (Modification[]) done.getRequest().getModifications().toArray(new Modification[0]);
            for (int i = 0; i < how.length; i++) {
                if (how[i].getAttributeName().equalsIgnoreCase("userPassword")) {
                    noteEntry(done.getRequest().getDN());  // as it is stored: hashed
                    return;
                }
            }
            write(new LDIFModifyChangeRecord(done.getRequest().getDN(), how));
        }

        public void processModifyDNResult(InMemoryInterceptedModifyDNResult done) {
            if (done.getResult().getResultCode() == ResultCode.SUCCESS) {
                keep();  // everything below has moved as well
            }
        }

        /** The entry as it is now, with what the server gave it; or that it is gone. */
        private synchronized void noteEntry(String dn) {
            try {
                Entry entry = server.getEntry(dn, new String[] {"*", "+"});
                write(entry == null ? (LDIFChangeRecord) new LDIFDeleteChangeRecord(dn) : new LDIFAddChangeRecord(entry));
            } catch (LDAPException error) {
                giveUp(error);
            }
        }

        private synchronized void write(LDIFChangeRecord record) {
            try {
                byte[] line = (record.toLDIFString(0) + "\n" + END).getBytes("UTF-8");
                out.write(line);
                written += line.length;
            } catch (Exception error) {
                giveUp(error);
            }
        }

        synchronized long length() {
            return written;
        }

        /** Write all entries and put the file in place of the last one, so that it is never half a file. */
        synchronized void keep() {
            try {
                Path making = Paths.get(entries + ".new", new String[0]);
                server.exportToLDIF(making.toString(), false, true);
                Files.move(making, entries, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                out.getChannel().truncate(0);
                out.getChannel().position(0);
                written = 0;
            } catch (Exception error) {
                giveUp(error);
            }
        }

        /** What cannot be kept is not answered: better no directory than one that forgets. */
        private static void giveUp(Exception error) {
            System.out.println("the entries cannot be kept: " + error.getMessage());
            Runtime.getRuntime().halt(1);
        }
    }
}
