/** What the procedure throws where it has no time left. */
export const NOT_ACCEPTED = 'not accepted: no time is left';

/** A stored procedure that writes several documents, and throws at the end where it is told to; answers with the etags of what it wrote. */
export const WRITE_ALL: { readonly id: string; readonly body: string } = {
  id: 'writeAll',
  body: `function (writes, fails) {
    var collection = getContext().getCollection();
    var etags = [];
    function next(index) {
      if (index === writes.length) {
        if (fails) throw new Error('undone');
        getContext().getResponse().setBody(etags);
        return;
      }
      var write = writes[index];
      var link = collection.getAltLink() + '/docs/' + write.id;
      var done = function (error, document) {
        if (error) throw error;
        etags.push(document && document._etag ? document._etag : null);
        next(index + 1);
      };
      var accepted = write.type === 'create'
        ? collection.createDocument(collection.getSelfLink(), write.item, done)
        : write.type === 'replace'
          ? collection.replaceDocument(link, write.item, done)
          : collection.deleteDocument(link, done);
      if (!accepted) throw new Error('${NOT_ACCEPTED}');
    }
    next(0);
  }`,
};
